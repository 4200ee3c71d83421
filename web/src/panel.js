// A graph whose numbers can be dragged: its picture, its leaves, and what one can do with them.
//
// Python computes forward and backward and sends what changed; one order is on its way at a time, and
// of the numbers that come meanwhile the last ones count.

import { announce, button, el } from "./dom.js";
import { Descent } from "./descent.js";
import { dragCards } from "./drag.js";
import { forget, framed } from "./frame.js";
import { Leaves } from "./leaves.js";
import { Nudge } from "./nudge.js";
import { Drawn } from "./picture.js";

export const VIEWS = { graph: "Graph", stepper: "Stepper", quiz: "Quiz", explain: "Explain", worksheet: "Worksheet" };

export class Panel {
  /** `order` opens it; `changed(values, released)` hears of new numbers, `viewed()` of the view
   * and of the step at which a stepper stands. */
  constructor({ pool, order, changed = () => {}, viewed = () => {}, view = "graph", step = 0 }) {
    Object.assign(this, { pool, order, changed, viewed, view, step });
    this.waiting = null; // numbers that no order has taken along yet
    this.working = null;
    this.leaves = new Leaves((values, released) => this.set(values, released));
    this.nudge = new Nudge((leaf, h) => this.ask({ do: "nudge", leaf, h }));
    this.descent = new Descent((leaves, lr) => this.descend(leaves, lr), () => this.leaves.trained, () => this.settled());
    this.result = el("output", { class: "outcome" });
    this.stage = el("div", { class: "stage scroll", tabindex: 0, role: "region", "aria-label": "Computation graph" });
    this.fault = el("p", { class: "fault", role: "alert", hidden: true });
    this.tabs = Object.entries(VIEWS).map(([name, title]) =>
      button(title, () => this.look(name), { "aria-pressed": name === view, "data-view": name }),
    );
    this.element = el(
      "section", { class: "panel", "aria-label": "Numbers of a graph" },
      el("div", { class: "tabs", role: "toolbar", "aria-label": "Views of the graph" }, ...this.tabs),
      this.fault,
      el("div", { class: "work" },
        el("div", { class: "picture" }, this.stage),
        el("div", { class: "side" }, this.result, this.leaves.element, this.descent.element, this.nudge.element)),
    ); // prettier-ignore
    dragCards(this.stage, this);
  }

  get values() {
    return this.leaves.values;
  }

  focus() {
    this.stage.focus({ preventScroll: true });
  }

  /** Opens the graph in Python as it is now; again in a fresh one. */
  async open() {
    const order = typeof this.order === "function" ? this.order() : this.order;
    this.session = this.pool.session;
    const answer = await this.sent(order);
    this.id = answer.panel;
    this.leaves.open(answer.leaves);
    this.nudge.open(answer.leaves);
    this.descent.reset();
    this.show(answer);
    if (this.view !== "graph") await this.lesson();
  }

  async sent(order) {
    const text = await this.pool.order("live", { asked: order });
    const answer = JSON.parse(String(text));
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  /** An order about this panel; in a fresh Python it is opened there first, if it can be. */
  async ask(order) {
    if (this.session !== this.pool.session) {
      if (typeof this.order !== "function") {
        throw new Error("the Python that drew this has ended: run its cell again");
      }
      const values = this.values;
      await this.open();
      await this.sent({ do: "set", panel: this.id, values });
    }
    return this.sent({ panel: this.id, ...order });
  }

  show(answer) {
    if (answer.svg) this.draw(answer.svg);
    else if (answer.cards) this.drawn?.show(answer.cards);
    this.leaves.show(answer.leaves);
    const name = answer.label || "result";
    this.result.textContent = `${name} = ${answer.result}`;
    this.result.dataset.exact = answer.exact;
  }

  draw(svg) {
    this.drawn = new Drawn(svg);
    for (const leaf of this.leaves.list) this.drawn.parts.get(leaf.card)?.classList.add("draggable");
    if (this.view === "graph") this.put(this.drawn.svg);
  }

  put(element) {
    this.stage.replaceChildren(element);
    this.stage.dataset.shows = this.view;
  }

  // --- other numbers ------------------------------------------------------------------------------

  set(values, released) {
    this.waiting = { ...this.waiting, ...values };
    this.nudge.clear();
    this.released ||= released;
    this.working ??= this.work().finally(() => (this.working = null));
    return this.working;
  }

  async work() {
    while (this.waiting) {
      const values = this.waiting;
      this.waiting = null;
      await this.guarded(async () => this.show(await this.ask({ do: "set", values })));
      const released = this.released && !this.waiting;
      if (released) this.released = false;
      this.changed(this.values, released);
      if (released) await this.renewed();
    }
  }

  async descend(leaves, lr) {
    const answer = await this.guarded(() => this.ask({ do: "descend", leaves, lr }));
    if (!answer) return null;
    this.show(answer);
    this.nudge.clear();
    this.changed(this.values, false);
    return { before: Number(answer.results[0]), after: Number(answer.exact) };
  }

  /** A released number is a step of its history. */
  settled() {
    this.changed(this.values, true);
    return this.renewed();
  }

  async guarded(action) {
    try {
      const answer = await action();
      this.tell("");
      return answer;
    } catch (error) {
      this.tell(error.message);
      return null;
    }
  }

  tell(text) {
    this.fault.textContent = text;
    this.fault.hidden = !text;
  }

  // --- views --------------------------------------------------------------------------------------

  async look(view) {
    if (view !== this.view) this.step = 0;
    this.view = view;
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", tab.dataset.view === view);
    forget(this.stage);
    if (view === "graph") this.put(this.drawn.svg);
    else await this.guarded(() => this.lesson());
    announce(`${VIEWS[view]}.`);
    this.viewed(true);
  }

  async lesson() {
    const { view } = this;
    const answer = await this.ask({ do: "lesson", what: view, lr: this.descent.rate });
    if (view !== this.view) return;
    forget(this.stage);
    this.put(framed(String(answer.html), VIEWS[view], { step: this.step, stepped: (k) => this.stepped(k) }));
  }

  stepped(step) {
    if (step === this.step) return;
    this.step = step;
    this.viewed(false);
  }

  /** A lesson shows the numbers of now, once they rest. */
  async renewed() {
    if (this.view !== "graph") await this.guarded(() => this.lesson());
  }
}
