// The cells of a page of Python: they share their names, and run one after the other.

import { Cell } from "./cell.js";
import { announce, button, el } from "./dom.js";
import { Gone } from "./interpreter.js";
import { Panel } from "./panel.js";
import { withPackages } from "./packages.js";

const STOPPED = "Stopped. A fresh Python is ready; the names of all cells are lost.";

export class Notebook {
  /** `edited()` is told of every change, `ran()` of every run, `busy(bool)` of work. */
  constructor({ pool, settings, edited, ran, busy }) {
    Object.assign(this, { pool, settings, edited, ran, busy });
    this.cells = [];
    this.queue = Promise.resolve();
    this.runs = 0;
    this.running = 0;
    this.list = el("div", { class: "cells" });
    this.banner = el("p", { class: "banner", role: "status", hidden: true });
    this.about = el("p", { class: "about", hidden: true });
    this.element = el(
      "div", { class: "notebook" },
      this.about, this.banner, this.list,
      el("div", { class: "book-bar" },
        button("Run all", () => this.runAll(), { class: "run-all" }),
        button("Add a cell", () => this.add(), { class: "quiet" })),
    ); // prettier-ignore
  }

  get codes() {
    return this.cells.map((cell) => cell.code);
  }

  /** New cells; `banner` says what is to know before a run, `about` what they are. */
  open(codes, banner = "", about = "") {
    this.about.textContent = about;
    this.about.hidden = !about;
    this.cells.forEach((cell) => cell.outputs.clear());
    this.cells = [];
    this.list.replaceChildren();
    for (const code of codes.length ? codes : [""]) this.insert(code, this.cells.length);
    this.tell(banner);
  }

  tell(text) {
    this.banner.textContent = text;
    this.banner.hidden = !text;
  }

  insert(code, place) {
    const cell = new Cell(code, place + 1, {
      changed: () => this.edited(),
      run: (one, next) => this.run(one, next),
      add: (after) => this.add(after),
      remove: (one) => this.remove(one),
      drag: (key, figure) => this.drag(key, figure),
    });
    const after = this.cells[place];
    this.cells.splice(place, 0, cell);
    this.list.insertBefore(cell.element, after?.element ?? null);
    this.cells.forEach((each, i) => each.numbered(i + 1));
    return cell;
  }

  add(after = this.cells.at(-1)) {
    const cell = this.insert("", this.cells.indexOf(after) + 1);
    cell.view.focus();
    this.edited();
    return cell;
  }

  remove(cell) {
    cell.outputs.clear();
    cell.element.remove();
    this.cells.splice(this.cells.indexOf(cell), 1);
    this.cells.forEach((each, i) => each.numbered(i + 1));
    if (!this.cells.length) this.insert("", 0);
    this.edited();
  }

  run(cell, next = false) {
    if (next) (this.cells[this.cells.indexOf(cell) + 1] ?? this.add(cell)).view.focus();
    this.tell("");
    return this.enqueue(cell);
  }

  async runAll() {
    this.tell("");
    for (const cell of [...this.cells]) if (!(await this.enqueue(cell))) break;
  }

  enqueue(cell) {
    this.busy((this.running += 1) > 0);
    cell.mark("running", "waiting");
    const epoch = this.pool.session;
    const turn = this.queue.then(() => (epoch === this.pool.session ? this.turn(cell) : cell.mark("", "")));
    this.queue = turn.catch(() => {}).then(() => this.busy((this.running -= 1) > 0));
    return turn;
  }

  async turn(cell) {
    const number = ++this.runs;
    this.ran();
    await this.pool.current.catch(() => {}); // starting is not the cell's time
    return cell.run(async (code, output) => {
      try {
        await withPackages(this.pool, this.settings, code, output);
        return await this.pool.order("run", { code, cell: number }, output);
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
        await this.fresh(error);
        throw new Error(error.stopped ? STOPPED : ended(cell.number, error.message));
      }
    });
  }

  /** Ends what runs; the spare takes over. */
  async stop() {
    announce("Stopped.");
    await this.pool.replace(Object.assign(new Gone("stopped"), { stopped: true }));
    this.cells.forEach((cell) => cell.forgotten());
  }

  async fresh(error) {
    if (!error.stopped) await this.pool.replace(error);
    this.cells.forEach((cell) => cell.forgotten());
  }

  async drag(key, figure) {
    const panel = new Panel({ pool: this.pool, order: { do: "picture", key } });
    try {
      await panel.open();
    } catch (error) {
      figure.append(el("p", { class: "note" }, error.message));
      return;
    }
    figure.replaceWith(panel.element);
    panel.focus();
  }
}

function ended(number, why) {
  const reason = /call stack|recursion/i.test(why) ? "its calls went too deep" : /exit/i.test(why)
    ? "it ended the interpreter itself" : /memory/i.test(why) ? "it ran out of memory" : `${why.split("\n")[0].slice(0, 120)}`; // prettier-ignore
  return `Cell ${number} ended Python: ${reason}. A fresh Python is ready; the names of all cells are lost.`;
}
