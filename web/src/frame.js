// Learners' HTML, in a frame of its own: without our origin, and with no script but the package's own.

import { el } from "./dom.js";

const LOWEST = 40;
const HIGHEST = 6000; // pixels
const frames = new Map(); // frame -> what hears of its steps
let settings;

/** Called once, with what the build knows. */
export function framesBy(given) {
  settings = given;
  addEventListener("message", ({ source, data }) => {
    const frame = [...frames.keys()].find((each) => each.contentWindow === source);
    const height = Number(data?.height);
    if (!frame || source === null) return;
    if (height > 0) frame.style.height = `${Math.min(Math.max(height, LOWEST), HIGHEST)}px`;
    if (Number.isInteger(data?.step)) frames.get(frame)(data.step);
  });
}

/** With `step` a stepper in it begins there; `stepped(k)` is told where it goes. */
export function framed(html, title, { step = 0, stepped = () => {} } = {}) {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src ${settings.frameScripts.join(" ")}`;
  const frame = el("iframe", {
    title,
    sandbox: "allow-scripts allow-downloads",
    class: "frame",
    referrerpolicy: "no-referrer",
  });
  let asked = step;
  frames.set(frame, (at) => {
    if (asked && at === 0) frame.contentWindow.postMessage({ step: asked }, "*"); // it has just begun
    else stepped(at);
    asked = 0;
  });
  // the script stands before what the learner wrote, which cannot swallow it
  frame.srcdoc = `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark"><title>Output</title>
<style>body{margin:0;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}iframe,img{box-sizing:border-box}</style>
<script>${settings.frame}</script></head><body>${html}</body></html>`;
  return frame;
}

/** A frame that leaves the page is forgotten. */
export function forget(element) {
  for (const frame of frames.keys()) if (element.contains(frame)) frames.delete(frame);
}
