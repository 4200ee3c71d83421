// "If you were a little larger, would the result be better or worse, and by how much?": asked of one
// leaf, answered by its gradient, and then by trying.

import { button, el, fresh } from "./dom.js";

export class Nudge {
  /** `tried(leaf, h)` gives what Python found. */
  constructor(tried) {
    this.tried = tried;
    const [which, by] = [fresh("nudge"), fresh("by")];
    this.leaf = el("select", { id: which });
    this.h = el("input", { id: by, class: "number", value: "0.01", inputmode: "decimal", autocomplete: "off" });
    this.said = el("p", { class: "said", "aria-live": "polite" });
    this.element = el("form", { class: "nudge", onsubmit: (event) => this.go(event) },
      el("label", { for: which }, "Nudge"), this.leaf, el("label", { for: by }, "by h ="), this.h,
      button("Try", (event) => this.go(event)), this.said); // prettier-ignore
  }

  open(leaves) {
    this.leaf.replaceChildren(...leaves.map(({ id, name }) => el("option", { value: id }, name)));
    this.clear();
  }

  clear() {
    this.said.textContent = "";
  }

  async go(event) {
    event.preventDefault();
    const h = Number(this.h.value);
    if (!Number.isFinite(h) || h === 0) {
      this.said.textContent = "h is a number that is not 0, such as 0.01.";
      return;
    }
    try {
      const { name, x, moved, slope, predicted, actual, before, after } = await this.tried(Number(this.leaf.value), h);
      this.said.textContent =
        `${name} goes from ${x} to ${moved}. Its gradient, ${slope}, predicts a change of ${slope} × ${h} = ${predicted}. ` +
        `The result goes from ${before} to ${after}: ${actual}.`;
    } catch (error) {
      this.said.textContent = error.message;
    }
  }
}
