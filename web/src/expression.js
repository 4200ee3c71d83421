// An expression typed as tanh(x1*w1 + x2*w2 + b): its graph follows while one types, and its names are
// numbers to drag.

import { el, fresh, later } from "./dom.js";
import { Panel } from "./panel.js";

export class Expression {
  /** `changed(released)` after every change of what `state` says. */
  constructor({ pool, changed }) {
    Object.assign(this, { pool, changed });
    const id = fresh("expression");
    this.field = el("input", { id, class: "formula", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    this.about = el("p", { class: "about" });
    this.fault = el("pre", { class: "fault", role: "alert", hidden: true });
    this.place = el("div");
    this.element = el("div", { class: "expression" },
      el("label", { for: id }, "Expression"), this.field, this.about, this.fault, this.place); // prettier-ignore
    const soon = later(250, () => this.typed());
    this.field.addEventListener("input", soon);
    this.field.addEventListener("change", () => this.typed());
  }

  get state() {
    const values = this.panel ? this.named(this.panel.values) : this.given;
    const { view = "graph", step = 0 } = this.panel ?? {};
    return { k: "e", e: this.shown ?? this.field.value, v: values, w: view, s: step };
  }

  /** Python that computes what is shown. */
  async code() {
    const { e, v } = this.state;
    if (!this.panel) return "";
    return String((await this.panel.sent({ do: "code", text: e, values: v })).code);
  }

  named(values) {
    return Object.fromEntries(this.panel.leaves.list.map(({ id, name }) => [name, values[id]]));
  }

  /** Shows a state, computed at once; it is arithmetic, of which nothing else ever runs. */
  async open({ e, v = {}, w = "graph", s = 0 }, about = "") {
    this.field.value = e;
    this.about.textContent = about;
    this.about.hidden = !about;
    this.panel = null;
    await this.compute(e, v, w, s);
  }

  async typed() {
    const text = this.field.value;
    if (text === this.shown || !text.trim()) return;
    await this.compute(text, this.panel ? this.named(this.panel.values) : this.given, this.panel?.view);
    this.changed(true);
  }

  async compute(text, values, view = "graph", step = 0) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.given = values;
    const panel = new Panel({
      pool: this.pool,
      order: () => ({
        do: "expression",
        text,
        values: this.panel === panel ? this.named(panel.values) : values,
        narrow: innerWidth < 700,
      }),
      changed: (_, released) => this.changed(released),
      viewed: (chosen) => this.changed(chosen),
      view,
      step,
    });
    try {
      await panel.open();
    } catch (error) {
      if (turn === this.turn) this.tell(error.message);
      return;
    }
    if (turn !== this.turn) return;
    this.tell("");
    this.shown = text;
    this.panel = panel;
    this.place.replaceChildren(panel.element);
  }

  tell(text) {
    this.fault.textContent = text;
    this.fault.hidden = !text;
    this.field.setAttribute("aria-invalid", Boolean(text));
    this.place.classList.toggle("old", Boolean(text));
  }
}
