// The leaves of a graph: for each a name, a field, a slider, its gradient, and whether it learns.

import { el, fresh } from "./dom.js";

const STEPS = 400; // of a slider, from end to end

export class Leaves {
  /** `moved({id: x}, released)` is told of each new number. */
  constructor(moved) {
    this.moved = moved;
    this.list = [];
    this.rows = el("div", { class: "rows" });
    this.others = el("details", { class: "others" }, el("summary", {}, "Constants"), el("div", { class: "rows" }));
    this.element = el("div", { class: "leaves" }, this.rows, this.others);
  }

  get values() {
    return Object.fromEntries(this.list.map((leaf) => [leaf.id, leaf.x]));
  }

  /** The ids of those that a step of descent moves. */
  get trained() {
    return this.list.filter((leaf) => leaf.learns.checked).map((leaf) => leaf.id);
  }

  open(leaves) {
    const some = leaves.some((leaf) => leaf.kind === "parameter");
    this.list = leaves.map((leaf) => this.row(leaf, some ? "parameter" : "input"));
    const [shown, constants] = [[], []];
    let unit = "";
    for (const leaf of this.list) {
      if (leaf.unit !== unit && leaf.unit) shown.push(el("p", { class: "unit" }, leaf.unit));
      ({ unit } = leaf);
      (leaf.kind === "constant" ? constants : shown).push(leaf.element);
    }
    this.rows.replaceChildren(...shown);
    this.others.lastChild.replaceChildren(...constants);
    this.others.hidden = !constants.length;
    this.others.open = !shown.length;
  }

  row({ id, name, kind, card, x }, learner) {
    // of layers.0.neurons.1.w[0] the last word stands in the row, the others above
    const [, unit = "", short] = kind === "parameter" ? /^(?:(.*)\.)?([^.]+)$/.exec(name) ?? [null, "", name] : [null, "", name];
    const leaf = { id, name, kind, card, x, unit };
    const [field, slider] = [fresh("field"), fresh("slider")];
    leaf.field = el("input", { id: field, class: "number", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      onchange: () => this.typed(leaf), onkeydown: (event) => event.key === "Enter" && this.typed(leaf) }); // prettier-ignore
    leaf.slider = el("input", { id: slider, type: "range", "aria-label": `${name}, slider`,
      oninput: () => this.slid(leaf), onchange: () => this.moved({ [id]: leaf.x }, true) }); // prettier-ignore
    leaf.grad = el("span", { class: "grad", title: "gradient" });
    leaf.learns = el("input", { type: "checkbox", "aria-label": `${name} learns`, title: "learns: a step of descent moves it" });
    leaf.learns.checked = kind === learner;
    leaf.element = el("div", { class: `leaf ${kind}` },
      leaf.learns, el("label", { for: field, title: name }, short), leaf.field, leaf.slider, leaf.grad); // prettier-ignore
    this.range(leaf);
    return leaf;
  }

  /** The slider's ends, wide enough for the number. */
  range(leaf) {
    const reach = Math.max(2, nice(2 * Math.abs(leaf.x)));
    Object.assign(leaf.slider, { min: -reach, max: reach, step: (2 * reach) / STEPS });
    leaf.slider.value = leaf.x;
    leaf.reach = reach;
  }

  slid(leaf) {
    leaf.x = Number(Number(leaf.slider.value).toPrecision(12));
    leaf.field.value = leaf.x;
    this.moved({ [leaf.id]: leaf.x }, false);
  }

  typed(leaf) {
    const x = Number(leaf.field.value.trim().replace("\u2212", "-").replace(/^(-?\d+),(\d+)$/, "$1.$2"));
    const good = leaf.field.value.trim() !== "" && Number.isFinite(x);
    leaf.field.setAttribute("aria-invalid", !good);
    if (!good || x === leaf.x) return;
    this.place(leaf, x);
    this.moved({ [leaf.id]: x }, true);
  }

  /** From elsewhere: a card that is dragged. */
  drag(leaf, x, released) {
    this.place(leaf, x);
    this.moved({ [leaf.id]: x }, released);
  }

  place(leaf, x) {
    leaf.x = x;
    leaf.field.value = String(x);
    if (Math.abs(x) > leaf.reach) this.range(leaf);
    leaf.slider.value = x;
  }

  /** What Python computed; a number under the hand stays as it is there. */
  show(leaves) {
    leaves.forEach(({ x, grad, sign }, i) => {
      const leaf = this.list[i];
      if (!leaf) return;
      const busy = document.activeElement === leaf.slider || document.activeElement === leaf.field;
      if (!busy || leaf.field.value === "") this.place(leaf, Number(x));
      leaf.grad.textContent = grad;
      leaf.grad.dataset.sign = sign;
    });
  }
}

/** The next of 1, 2, 5, 10, 20, ... */
function nice(x) {
  const power = 10 ** Math.floor(Math.log10(x || 1));
  return power * [1, 2, 5, 10].find((step) => step * power >= x);
}
