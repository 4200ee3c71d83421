// The site's service worker, where there is one: pages open without a network, and a new version says so.

export async function registerWorker({ serviceWorker }, note) {
  if (!serviceWorker || !("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(serviceWorker);
    const tell = (worker) =>
      note("A new version of this page is there.", { name: "Load it", do: () => takeOver(worker) });
    if (registration.waiting && navigator.serviceWorker.controller) tell(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      const had = navigator.serviceWorker.controller;
      installing?.addEventListener("statechange", () => installing.state === "installed" && had && tell(installing));
    });
  } catch {
    /* opened from a host that allows none: the page works online */
  }
}

/** A new worker waits until it is asked to serve; the page that it then serves is the new one. */
function takeOver(worker) {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  worker.postMessage("take over");
}
