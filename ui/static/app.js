// What the pages do beyond HTML: nothing here is needed to read or to press.
"use strict";

(() => {
	const find = (selector) => document.querySelector(selector);
	const on = (name, listener, options) => document.addEventListener(name, listener, options);

	// ---- What happened: parts of the page listen for these on the body.

	const waiting = new Set();

	// tell says it a moment later, and once for all that happens until then.
	function tell(name) {
		if (waiting.has(name)) return;
		waiting.add(name);
		setTimeout(() => {
			waiting.delete(name);
			document.body.dispatchEvent(new CustomEvent(name, {bubbles: true}));
		}, 200);
	}

	// ---- The time zone, for the server to write times in.

	const zone = "zone=" + encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
	if (!document.cookie.split("; ").includes(zone)) {
		document.cookie = zone + ";path=/;max-age=31536000;samesite=lax";
		if (document.body.dataset.live) tell("again");
	}

	// ---- News, over one stream while the page is looked at.

	const shortest = 2000, longest = 60000, full = 30000; // milliseconds
	let stream = null, last = "", patience = shortest;

	function listen() {
		const path = document.body.dataset.live;
		if (stream || document.hidden || !path) return;
		stream = new EventSource(last ? path.split("?")[0] + "?after=" + encodeURIComponent(last) : path);
		for (const name of ["balance", "reward", "settled", "reset", "pulse"]) {
			stream.addEventListener(name, (e) => {
				last = e.lastEventId;
				tell(name);
			});
		}
		// Nothing has happened: the next stream goes on from here.
		stream.addEventListener("ready", (e) => { last = e.lastEventId; });
		stream.addEventListener("open", () => { patience = shortest; });
		stream.addEventListener("error", () => {
			if (stream?.readyState !== EventSource.CLOSED) return; // it comes again by itself
			stream = null;
			refused();
		});
	}

	// refused asks why there is no stream, and comes again where that may help.
	async function refused() {
		const answer = await fetch(document.body.dataset.live.split("?")[0], {method: "HEAD"}).catch(() => null);
		if (answer?.status === 401) {
			if (!typed()) location.reload(); // and so to the log-in, and back
			return;
		}
		setTimeout(listen, answer?.status === 503 ? Math.max(patience, full) : patience);
		patience = Math.min(2 * patience, longest);
	}

	on("visibilitychange", () => {
		if (document.hidden) {
			stream?.close();
			stream = null;
			return;
		}
		listen();
		tell("again");
	});

	// A page that the browser has kept may show what is no more, or is another's.
	addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
	addEventListener("online", () => { if (find("[data-offline]")) location.reload(); });

	// ---- The books' clock, and how long it is until something.

	let ahead = Number(document.body.dataset.now) - Date.now();
	const counting = new WeakSet(); // countdowns that were not over when they were seen first

	// clock takes the time from a page that came; if the clock was moved, all is to be read again.
	function clock(html) {
		const now = /<body[^>]* data-now="(\d+)"/.exec(html);
		if (!now) return;
		const before = ahead;
		ahead = Number(now[1]) - Date.now();
		if (Math.abs(ahead - before) > 5000) tell("again");
		count();
	}

	function count() {
		const words = document.body.dataset;
		for (const e of document.querySelectorAll("time[data-countdown]")) {
			const minutes = Math.ceil((Number(e.dataset.countdown) - Date.now() - ahead) / 60000);
			let text = words.untilNow;
			if (minutes > 0) {
				counting.add(e);
				text = (minutes < 60 ? words.untilMinutes : words.untilHours).replace("{h}", Math.floor(minutes / 60)).replace("{m}", minutes % 60);
			} else if (counting.delete(e)) {
				tell("again");
			}
			if (e.textContent !== text) e.textContent = text;
		}
	}

	// typed says whether something was, into a form: then no page is left by itself.
	function typed() {
		return Array.from(document.querySelectorAll("form[method=post] :is(input, textarea):not([type=hidden])"))
			.some((e) => e.checked !== e.defaultChecked || e.value !== e.defaultValue);
	}

	// ---- Parts of pages, as htmx brings them.

	const loading = new WeakMap();
	const byHand = (ctx) => ["click", "submit", "change", "input", "keyup"].includes(ctx?.sourceEvent?.type);
	const element = (target) => typeof target === "string" ? find(target) : target;

	// whole goes to the page of which a part could not be had.
	function whole(ctx) {
		if (byHand(ctx) && ctx.request.method === "GET") location.href = ctx.request.action;
	}

	on("htmx:before:request", ({detail: {ctx}}) => {
		const target = element(ctx.target);
		if (byHand(ctx) && target) loading.set(ctx, setTimeout(() => target.classList.add("loading"), 300));
	});
	on("htmx:before:response", (e) => {
		const {ctx} = e.detail;
		if (ctx.response.status === 401 && typed() && !byHand(ctx)) e.preventDefault();
	});
	on("htmx:after:request", ({detail: {ctx}}) => clock(ctx.text));
	on("htmx:response:error", ({detail: {ctx}}) => { if (ctx.response.status !== 401) whole(ctx); });
	on("htmx:error", ({detail: {ctx}}) => whole(ctx));
	on("htmx:finally:request", ({detail: {ctx}}) => {
		clearTimeout(loading.get(ctx));
		element(ctx.target)?.classList.remove("loading");
	});
	on("htmx:before:swap", ({detail: {ctx}}) => {
		if (element(ctx.target)?.id === "sheet") ctx.title = null; // the page below stays what it is
	});
	on("htmx:after:swap", ({detail: {ctx}}) => {
		if (element(ctx.target)?.id === "sheet") open(ctx);
		enable();
		count();
	});

	// ---- The sheet: a dialog above the page. Esc closes it, and the focus goes back.

	let opener = null;

	function open(ctx) {
		const sheet = find("#sheet");
		if (!sheet.childElementCount) return whole(ctx);
		opener = ctx.sourceElement;
		if (!sheet.open) sheet.showModal();
	}

	on("click", (e) => {
		const sheet = find("#sheet[open]");
		if (!sheet?.contains(e.target)) return;
		const box = sheet.getBoundingClientRect();
		const outside = e.target === sheet && (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom);
		if (!outside && !e.target.closest("[data-close]")) return;
		e.preventDefault();
		sheet.close();
	});
	on("close", (e) => {
		if (e.target.id !== "sheet") return;
		e.target.replaceChildren();
		const back = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id);
		if (back) back.focus();
		opener = null;
	}, true);

	// ---- Forms: a tick that lets a button be pressed, and a button that is pressed once.

	// enable looks at the ticks: data-enables is the ID of the button that needs them all.
	function enable() {
		const ready = new Map();
		for (const tick of document.querySelectorAll("[data-enables]")) {
			ready.set(tick.dataset.enables, tick.checked && (ready.get(tick.dataset.enables) ?? true));
		}
		for (const [id, is] of ready) {
			const button = document.getElementById(id);
			if (button && !button.closest("[aria-busy]")) button.disabled = !is;
		}
	}

	// allow looks at the options that need a field: data-needs is the field's ID.
	function allow() {
		for (const option of document.querySelectorAll("[data-needs]")) {
			const field = document.getElementById(option.dataset.needs);
			option.disabled = !field?.value.trim();
			if (option.disabled) option.checked = false;
		}
	}

	on("change", enable);
	on("input", allow);
	on("submit", (e) => {
		const form = e.target;
		if (e.defaultPrevented || form.getAttribute("method") !== "post") return;
		if (form.hasAttribute("aria-busy")) return e.preventDefault();
		form.setAttribute("aria-busy", "true");
		const pressed = Array.from(form.elements).filter((e) => e.type === "submit" && !e.disabled);
		const disable = (is) => pressed.forEach((e) => { e.disabled = is; });
		setTimeout(disable, 0, true); // what was pressed is part of the form
		setTimeout(() => {
			disable(false);
			form.removeAttribute("aria-busy");
		}, 15000); // it was stopped, or is lost
	});

	enable();
	allow();
	count();
	setInterval(count, 1000);
	listen();
	if ("serviceWorker" in navigator) {
		addEventListener("load", () => navigator.serviceWorker.register("/sw.js").catch(() => null));
	}
})();
