// The service worker: where there is no connection, it shows the page that says so.
// It keeps that page and the files it needs, and never a page with money on it.
// A line before this one gives it its version.
"use strict";

const store = "softstake " + version;

// What the offline page needs is what it names.
async function keep() {
	const cache = await caches.open(store);
	const page = await fetch("/offline", {cache: "no-store"});
	if (!page.ok) throw new Error("the offline page answers " + page.status);
	const files = new Set(Array.from((await page.clone().text()).matchAll(/\/static\/[\w./-]+/g), (m) => m[0]));
	await cache.addAll(files);
	await cache.put("/offline", page);
	await self.skipWaiting();
}

async function tidy() {
	for (const name of await caches.keys()) {
		if (name !== store) await caches.delete(name);
	}
	await self.clients.claim();
}

async function orOffline(request) {
	try {
		return await fetch(request);
	} catch {
		return await caches.match("/offline") ?? Response.error();
	}
}

async function orKept(request) {
	return await caches.match(request) ?? fetch(request);
}

self.addEventListener("install", (e) => {
	// A stream that passes by a worker that is just starting fails in some browsers.
	e.addRoutes?.({condition: {urlPattern: {pathname: "/live"}}, source: "network"});
	e.waitUntil(keep());
});
self.addEventListener("activate", (e) => e.waitUntil(tidy()));
self.addEventListener("fetch", (e) => {
	const url = new URL(e.request.url);
	if (e.request.method !== "GET" || url.origin !== location.origin) return;
	if (e.request.mode === "navigate") e.respondWith(orOffline(e.request));
	else if (url.pathname.startsWith("/static/")) e.respondWith(orKept(e.request));
});
