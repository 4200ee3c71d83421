// Serves the site without a network: the files of the list below, each known by its content.
// What is kept is checked whenever it is served, for a program that a visitor runs on a page could
// write into Cache Storage; a file that is not what the list says is fetched again.
"use strict";

const FIRST = {};
const LATER = {};
const HOME = new URL("./", location.href);
const STORE = `micrograd ${HOME.pathname}`;
const TYPES = {
  css: "text/css; charset=utf-8", html: "text/html; charset=utf-8", ico: "image/x-icon",
  ipynb: "application/json", js: "text/javascript; charset=utf-8", json: "application/json",
  mjs: "text/javascript; charset=utf-8", png: "image/png", svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8", wasm: "application/wasm",
  webmanifest: "application/manifest+json", zip: "application/zip",
};
const ABSENT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Not read yet</title>
<meta name="viewport" content="width=device-width"><style>body{font:1.1em/1.5 sans-serif;
max-width:34em;margin:3em auto;padding:0 1em;color-scheme:light dark}</style>
<h1>This page needs a network</h1><p>There is none, and you have not opened this page before. The
<a href="${HOME.pathname}playground/index.html">playground</a> and every page that you have opened are
here.</p></html>`;

const place = (hash) => new URL(`?sha256=${encodeURIComponent(hash)}`, HOME).href;

function nameOf(address) {
  const url = new URL(address);
  if (url.origin !== HOME.origin || !url.pathname.startsWith(HOME.pathname)) return null;
  const name = decodeURIComponent(url.pathname.slice(HOME.pathname.length));
  return name === "" || name.endsWith("/") ? name + "index.html" : name;
}

/** The bytes, if they are what the list says. */
async function checked(response, hash) {
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest)) === hash ? bytes : null;
}

/** Only the bytes come from outside; what they are taken for is said here. */
function answer(bytes, name) {
  const type = TYPES[name.split(".").pop()] ?? "application/octet-stream";
  return new Response(bytes, { headers: { "Content-Type": type } });
}

async function keep(name, hash, store) {
  if (await store.match(place(hash))) return;
  const response = await fetch(new URL(name, HOME), { cache: "no-cache" });
  const bytes = response.ok ? await checked(response, hash) : null;
  if (!bytes) throw new Error(`${name} is not what this version of the site lists`);
  await store.put(place(hash), answer(bytes, name));
}

async function serve(request, name, hash, later) {
  const store = await caches.open(STORE);
  const kept = await store.match(place(hash));
  if (kept) {
    const bytes = await checked(kept, hash);
    if (bytes) return answer(bytes, name);
    await store.delete(place(hash));
  }
  let response;
  try {
    response = await fetch(request);
  } catch {
    if (request.mode !== "navigate") return Response.error();
    return new Response(ABSENT, { status: 503, headers: { "Content-Type": TYPES.html } });
  }
  if (response.ok) {
    const copy = response.clone();
    later(checked(copy, hash).then((bytes) => bytes && store.put(place(hash), answer(bytes, name))));
  }
  return response;
}

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const store = await caches.open(STORE);
    const wanted = Object.entries(FIRST);
    const some = async () => {
      for (let next = wanted.pop(); next; next = wanted.pop()) await keep(...next, store);
    };
    await Promise.all([some(), some(), some(), some()]);
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const store = await caches.open(STORE);
    const listed = new Set([...Object.values(FIRST), ...Object.values(LATER)].map(place));
    for (const old of await store.keys()) if (!listed.has(old.url)) await store.delete(old);
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const name = nameOf(event.request.url);
  // A page that `rel=next` names, which Firefox asks for ahead: an answer that nobody waits for is an error there.
  if (event.request.mode === "no-cors" && name?.endsWith(".html")) return;
  const hash = name && (Object.hasOwn(FIRST, name) ? FIRST[name] : Object.hasOwn(LATER, name) && LATER[name]);
  if (hash) event.respondWith(serve(event.request, name, hash, (work) => event.waitUntil(work)));
});
