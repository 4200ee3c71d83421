// Runs inside each frame of learners' HTML: tells the page how high the content is, and at which step a
// stepper in it stands; passes on to which one it shall go. Nothing else goes through.
const tell = () => parent.postMessage({ height: document.documentElement.getBoundingClientRect().height }, "*");
new ResizeObserver(tell).observe(document.documentElement);
addEventListener("load", tell);
addEventListener("message", ({ source, data }) => {
  if (!Number.isInteger(data?.step)) return;
  const message = { step: data.step };
  if (source === parent) for (const frame of document.querySelectorAll("iframe")) frame.contentWindow.postMessage(message, "*");
  else parent.postMessage(message, "*");
});
tell();
