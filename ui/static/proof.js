// Proofs of what an account has, checked in the browser as the package verify does it: the server is not asked whether
// they hold. Amounts are BigInt; the hashes and the signature are the browser's own.
"use strict";

(() => {
	const most = 2n ** 63n - 1n;

	// Fault says where a proof does not hold: "path", "record" or "checkpoint".
	class Fault extends Error {}
	const must = (holds, where) => { if (!holds) throw new Fault(where); };

	const text = (s) => new TextEncoder().encode(s);
	const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

	function bytes(coded) {
		try {
			return Uint8Array.from(atob(coded), (c) => c.charCodeAt(0));
		} catch {
			throw new Fault("path");
		}
	}

	function hashOf(coded) {
		const b = bytes(coded);
		must(b.length === 32 && base64(b) === coded, "path");
		return b;
	}

	function amount(digits) {
		must(/^(0|[1-9][0-9]{0,18})$/.test(digits) && BigInt(digits) <= most, "path");
		return BigInt(digits);
	}

	// number is a number in some bytes, the highest first.
	const number = (n, size) => Uint8Array.from({length: size}, (_, i) => Number(BigInt(n) >> BigInt(8 * (size - 1 - i)) & 255n));

	async function hash(...parts) {
		return new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
	}

	// rootOf is the root of the sum tree that the balance leads to.
	async function rootOf(p) {
		const parts = [number(0, 1)];
		for (const part of [text("softstake liability 1"), text(p.asset), text(p.day), text(p.account), hashOf(p.nonce)]) {
			parts.push(number(part.length, 4), part);
		}
		let sum = amount(p.amount), node = await hash(...parts, number(sum, 8));
		for (const other of p.path) {
			const a = {sum, hash: node}, b = {sum: amount(other.sum), hash: hashOf(other.hash)};
			const [left, right] = other.left === true ? [b, a] : [a, b];
			sum += b.sum;
			must(sum <= most, "path");
			node = await hash(number(1, 1), number(left.sum, 8), left.hash, number(right.sum, 8), right.hash);
		}
		return {total: String(sum), root: base64(node)};
	}

	// treeOf is the hash of the tree of records that one of them leads to (RFC 9162, 2.1.1).
	async function treeOf(record, index, size, others) {
		must(index >= 0 && index < size && (size === 1) === (others.length === 0), "record");
		if (size === 1) return record;
		let first = 1;
		while (2 * first < size) first *= 2;
		const other = hashOf(others.at(-1)), rest = others.slice(0, -1);
		if (index < first) return hash(number(1, 1), await treeOf(record, index, first, rest), other);
		return hash(number(1, 1), other, await treeOf(record, index - first, size - first, rest));
	}

	// checkNote checks a checkpoint, and reports whether the browser could check its signature.
	async function checkNote(p, tree, key) {
		const [name, , ...rest] = key.split("+"), cut = p.checkpoint.indexOf("\n\n");
		must(cut > 0, "checkpoint");
		const signed = p.checkpoint.slice(0, cut + 1), origin = signed.split("\n")[0];
		must(signed.startsWith(`${origin}\n${p.size}\n${tree}\n`), "checkpoint");
		if (name !== origin) return false; // signed with a key that is not published here: none is, or it was another
		const raw = bytes(rest.join("+"));
		must(raw.length === 33 && raw[0] === 1, "checkpoint");
		let of;
		try {
			of = await crypto.subtle.importKey("raw", raw.slice(1), "Ed25519", false, ["verify"]);
		} catch {
			return false; // a browser that does not know Ed25519
		}
		for (const line of p.checkpoint.slice(cut + 2).split("\n")) {
			if (!line.startsWith(`— ${origin} `)) continue;
			const signature = bytes(line.slice(origin.length + 3)).slice(4);
			if (await crypto.subtle.verify("Ed25519", of, signature, text(signed))) return true;
		}
		throw new Fault("checkpoint");
	}

	// check checks a proof of an account's day, and returns what it shows.
	async function check(p, account, day, key) {
		must(p.account === account && p.day === day, "path");
		const shown = await rootOf(p), lines = p.record.split("\n");
		must(lines[0] === "softstake record" && lines[1] === "day " + day, "record");
		const roots = lines.filter((line) => line.startsWith(`liabilities ${p.asset} `));
		must(roots.length === 1 && roots[0] === `liabilities ${p.asset} ${shown.total} ${shown.root}`, "record");
		must(Number.isSafeInteger(p.index) && Number.isSafeInteger(p.size), "record");
		const tree = await treeOf(await hash(number(0, 1), text(p.record)), p.index, p.size, p.inclusion);
		return {...shown, amount: p.amount, asset: p.asset, signature: await checkNote(p, base64(tree), key)};
	}

	// show shows what came of it: the words stand in the page, in the visitor's language.
	function show(box, name, asset) {
		for (const e of box.querySelectorAll("[data-proof]")) e.hidden = e.dataset.proof !== name;
		for (const e of box.querySelectorAll("[data-proof-asset]")) e.textContent = asset ?? "";
		box.dataset.checked = name;
	}

	// checkAll checks what the page shows of a day, in which each token of the account has one proof.
	async function checkAll(box) {
		const {proofs, account, day, key} = box.dataset, rows = [...box.querySelectorAll("[data-asset]")];
		const answer = await fetch(proofs);
		if (!answer.ok) {
			show(box, answer.status === 409 ? "record" : "unread");
			return;
		}
		const all = await answer.json();
		let signed = true;
		if (rows.length && (rows.length !== all.length || new Set(all.map((p) => p.asset)).size !== all.length)) {
			show(box, "shown");
			return;
		}
		for (const p of all) {
			try {
				const shown = await check(p, account, day, key);
				signed &&= shown.signature;
				const row = rows.find((r) => r.dataset.asset === p.asset);
				must(!rows.length || row?.dataset.amount === shown.amount && row.dataset.total === shown.total &&
					row.dataset.root === shown.root, "shown");
			} catch (e) {
				show(box, e instanceof Fault ? e.message : "path", p.asset);
				return;
			}
		}
		show(box, all.length ? signed ? "good" : "unsigned" : "none");
	}

	// checked is what came of a day's proofs on this device before: beside other pages they are checked once a day, on
	// their own each time.
	function checked(box) {
		const of = `${box.dataset.account} ${box.dataset.day}`;
		if (box.dataset.daily === undefined) return {before: null, keep() {}};
		try {
			const [what, result] = (localStorage.getItem("proof") ?? "").split("\n");
			return {before: what === of ? result : null, keep: (r) => localStorage.setItem("proof", `${of}\n${r}`)};
		} catch {
			return {before: null, keep() {}}; // storage is switched off
		}
	}

	for (const box of document.querySelectorAll("[data-proofs]")) {
		if (!crypto.subtle) continue; // not over HTTPS: what the server says stays
		const {before, keep} = checked(box);
		if (before === "good") {
			show(box, before);
			continue;
		}
		show(box, "checking");
		checkAll(box).catch(() => show(box, "unread")).then(() => {
			if (box.dataset.checked === "good") keep("good");
		});
	}
})();
