// The site's service worker, where there is one: pages open without a network, and a new version says so.

export async function registerWorker({ serviceWorker }, note) {
  if (!serviceWorker || !("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(serviceWorker);
    const tell = () => note("A new version of this page is there.", { name: "Load it", do: () => location.reload() });
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      const had = navigator.serviceWorker.controller;
      installing?.addEventListener("statechange", () => installing.state === "installed" && had && tell());
    });
  } catch {
    /* opened from a host that allows none: the page works online */
  }
}
