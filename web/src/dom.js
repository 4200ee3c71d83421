// Small helpers to make elements; text is always text.

/** `el("button", { class: "run", onclick: f }, "Run")`; children are texts, elements or nothing. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key.startsWith("aria-")) element.setAttribute(key, String(value));
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", onclick, ...properties }, text);
}

/** Says a thing to who does not see the page. */
export function announce(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}

/** A name for a label's `for`, new each time. */
let made = 0;
export const fresh = (stem) => `${stem}-${++made}`;

export function later(wait, action) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), wait);
  };
}
