// Passkeys: what a page cannot do without a script. Without it, or in a browser without passkeys, codes remain.
"use strict";

(() => {
	if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
	for (const e of document.querySelectorAll("[data-needs-passkey]")) e.hidden = false;

	// failed shows that nothing came of it: the person has said no, or the device has no passkey of ours. The form can
	// be sent again at once.
	function failed(form) {
		form.removeAttribute("aria-busy");
		for (const e of form.elements) if (e.type === "submit") e.disabled = false;
		const says = form.querySelector("[data-passkey-failed]");
		if (says) says.hidden = false;
		form.querySelector("[data-code]")?.setAttribute("open", "");
		delete form.dataset.busy;
	}

	// send posts the form with what the authenticator has answered.
	function send(form, credential) {
		form.elements.answer.value = JSON.stringify(credential.toJSON());
		form.submit();
	}

	// confirm asks the server for a challenge about what the form says, and the authenticator to answer it. Where the
	// server has something against the form, the form is posted, and the page says what.
	async function confirm(form) {
		const fields = new URLSearchParams(new FormData(form));
		fields.set("ask", "1");
		const asked = await fetch(form.action, {method: "POST", body: fields});
		if (!asked.headers.get("Content-Type")?.startsWith("application/json")) {
			form.submit();
			return;
		}
		const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await asked.json());
		send(form, await navigator.credentials.get({publicKey}));
	}

	async function create(form) {
		const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(form.dataset.create));
		send(form, await navigator.credentials.create({publicKey}));
	}

	document.addEventListener("submit", (e) => {
		const form = e.target, make = form.dataset.create !== undefined;
		if (!make && form.dataset.passkey === undefined || !make && form.elements.code?.value) return;
		e.preventDefault();
		if (form.dataset.busy) return;
		form.dataset.busy = "1";
		(make ? create : confirm)(form).catch(() => failed(form));
	});
})();
