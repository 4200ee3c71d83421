// One cell: an editor, its buttons, and what its last run gave.

import { announce, button, el } from "./dom.js";
import { editor, textOf } from "./editor.js";
import { Outputs } from "./outputs.js";

export class Cell {
  /** `book` is told `changed`, `run(cell, next)`, `remove(cell)`, `drag(key, figure)`. */
  constructor(text, number, book) {
    this.book = book;
    this.ran = null; // the code of the last run
    this.outputs = new Outputs((key, figure) => book.drag(key, figure));
    this.view = editor(text, `Cell ${number}, Python`, {
      changed: () => this.changed(),
      run: (next) => book.run(this, next),
    });
    this.runButton = button("Run", () => book.run(this, false), { class: "run", title: "Run (Ctrl+Enter)" });
    this.state = el("span", { class: "state" });
    this.stale = el("p", { class: "stale", hidden: true }, "The code has changed since this output.");
    this.element = el("section", { class: "cell" });
    this.element.append(
      this.view.dom,
      el("div", { class: "cell-bar" }, this.runButton, this.state,
        button("Add a cell below", () => book.add(this), { class: "quiet" }),
        button("Remove", () => book.remove(this), { class: "quiet remove" })),
      this.stale,
      this.outputs.element,
    ); // prettier-ignore
    this.numbered(number);
  }

  get code() {
    return textOf(this.view);
  }

  numbered(number) {
    this.number = number;
    this.element.setAttribute("aria-label", `Cell ${number}`);
    this.runButton.setAttribute("aria-label", `Run cell ${number}`);
  }

  changed() {
    this.stale.hidden = this.ran === null || this.outputs.empty || this.ran === this.code;
    this.book.changed();
  }

  /** Runs the code by `order`, and shows what comes; whether all went well. */
  async run(order) {
    const code = this.code;
    this.outputs.clear();
    this.ran = code;
    this.stale.hidden = true;
    this.mark("running", "running");
    const begun = performance.now();
    try {
      const well = await order(code, (message) => this.outputs.show(message));
      const seconds = (performance.now() - begun) / 1000;
      this.mark(well ? "done" : "failed", well ? `done in ${took(seconds)}` : "ended with an error");
      announce(`Cell ${this.number} ${well ? "is done" : "ended with an error"}.`);
      return well;
    } catch (error) {
      this.outputs.note(error.message);
      this.mark("failed", "ended");
      announce(`Cell ${this.number} ended: ${error.message}`);
      return false;
    } finally {
      this.changed();
    }
  }

  mark(state, text) {
    this.element.dataset.state = state;
    this.state.textContent = text;
  }

  /** The names that this output came from are lost. */
  forgotten() {
    if (this.element.dataset.state === "done") this.mark("", "ran in an earlier session");
  }
}

const took = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`);
