// What a cell printed and showed, in the order in which it came.

import { button, el } from "./dom.js";
import { forget, framed } from "./frame.js";
import { Drawn } from "./picture.js";

const IMAGE = /^data:image\/(svg\+xml|png|jpeg);base64,[A-Za-z0-9+/=]*$/;

export class Outputs {
  /** `drag(key)` opens a panel on a picture. */
  constructor(drag) {
    this.drag = drag;
    this.element = el("div", { class: "outputs" });
    this.clear();
  }

  clear() {
    forget(this.element);
    this.element.replaceChildren();
    this.named = new Map();
    this.text = null; // the block that text is added to
  }

  get empty() {
    return !this.element.firstChild;
  }

  /** A message of the worker's: its texts are data, whatever they say. */
  show({ kind, stream, content, name }) {
    content = String(content);
    if (kind === "text") return this.write(stream, content);
    const made = this.made(kind, content, name);
    const before = name && this.named.get(name);
    if (before) {
      forget(before);
      before.replaceWith(made);
    } else this.add(made);
    if (name) this.named.set(name, made);
  }

  made(kind, content, name) {
    if (kind === "html") return framed(content, "Output of the cell");
    if (kind === "image" && IMAGE.test(content)) {
      return el("img", { class: "image", src: content, alt: "A picture that the cell drew" });
    }
    if (kind === "picture") return this.picture(content, name);
    return el("p", { class: "note" }, content);
  }

  picture(content, key) {
    let drawn;
    try {
      drawn = new Drawn(content);
    } catch (error) {
      return el("p", { class: "note" }, error.message);
    }
    const holder = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Computation graph" });
    holder.append(drawn.svg);
    const figure = el("figure", { class: "drawn" }, holder);
    const open = button("Drag its numbers", () => this.drag(key, figure), { class: "drag" });
    figure.append(el("figcaption", {}, open));
    return figure;
  }

  write(stream, content) {
    const kind = ["stderr", "error", "result"].includes(stream) ? stream : "stdout";
    if (!this.text || this.text.className !== kind) {
      this.text = el("pre", { class: kind, tabindex: -1 });
      this.element.append(this.text);
    }
    this.text.append(content);
  }

  add(element) {
    this.text = null;
    this.element.append(element);
  }

  note(text) {
    this.add(el("p", { class: "note" }, text));
  }
}
