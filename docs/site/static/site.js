// What every page of the site does: it registers the service worker, says when a new version is
// there, and lets a keyboard reach what is wider than the page.
"use strict";

(() => {
  const home = new URL("../", document.currentScript.src);

  function offer(worker) {
    if (document.querySelector(".new-version")) return;
    const bar = document.createElement("div");
    bar.className = "new-version";
    bar.setAttribute("role", "status");
    bar.textContent = "A new version of this site is there. ";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Load it";
    button.addEventListener("click", () => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
      worker.postMessage("take over");
    });
    bar.append(button);
    document.body.append(bar);
  }

  /** The page that was open before there was a worker to keep it: asked for once more, from the browser's cache. */
  async function keepThisPage() {
    await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }));
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
    for (const address of [location.href.split("#")[0], ...loaded]) {
      if (address.startsWith(home.href)) await fetch(address);
    }
  }

  async function register() {
    if (!navigator.serviceWorker.controller) keepThisPage().catch(() => {});
    const registration = await navigator.serviceWorker.register(new URL("sw.js", home));
    if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const worker = registration.installing;
      worker.addEventListener("statechange", () => {
        if (worker.state === "installed" && navigator.serviceWorker.controller) offer(worker);
      });
    });
  }

  /** A part that scrolls sideways is reached by Tab, so that arrow keys can move it. */
  function reachable() {
    for (const part of document.querySelectorAll(".highlight pre, .table-wrapper, div.math, .output, .output pre")) {
      const wide = part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1;
      if (wide) part.tabIndex = 0;
      else part.removeAttribute("tabindex");
    }
  }

  addEventListener("load", () => {
    reachable();
    addEventListener("resize", reachable);
    if ("serviceWorker" in navigator && isSecureContext) {
      register().catch((error) => console.info(`Without a network this site will not work: ${error}`));
    }
  });
})();
