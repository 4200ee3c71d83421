// The page: what is on it, where it comes from (a link, an example, the last visit), where it goes.

import examples from "built:examples";
import { Address } from "./address.js";
import { button, el, later } from "./dom.js";
import { Expression } from "./expression.js";
import { framesBy } from "./frame.js";
import { unpacked } from "./link.js";
import { exampleMenu, pastButton } from "./menu.js";
import { Notebook } from "./notebook.js";
import { Pool } from "./pool.js";
import { registerWorker } from "./offline.js";
import { share } from "./share.js";
import { remember, save, saved } from "./store.js";

const FROM_LINK = "This code came with a link, and waits: read it, then run it.";
const FROM_BEFORE = "Your work of the last visit. Run it to have its names again.";

class Page {
  constructor(settings) {
    this.embedded = new URLSearchParams(location.search).get("embed") === "1";
    document.body.classList.toggle("embed", this.embedded);
    framesBy(settings);
    this.address = new Address();
    this.pool = new Pool(settings.files);
    this.pool.spared = () => (document.body.dataset.spare = "ready");
    this.book = new Notebook({
      pool: this.pool,
      settings,
      edited: () => this.edited(false),
      ran: () => this.ran(),
      busy: (busy) => this.busy(busy),
    });
    this.expression = new Expression({ pool: this.pool, changed: (released) => this.edited(released) });
    this.lay();
    addEventListener("popstate", () => this.come());
    addEventListener("pagehide", () => this.save()); // what was typed a moment ago, too
    registerWorker(settings, (text, act) => this.note(text, act));
  }

  lay() {
    this.modes = ["e", "c"].map((kind) =>
      button(kind === "e" ? "Expression" : "Python", () => this.turn(kind), { class: "mode", "data-kind": kind }),
    );
    this.stopper = button("Stop", () => this.book.stop(), { class: "stop", disabled: true });
    this.status = el("span", { class: "status", role: "status" }, "Python is starting");
    this.notes = el("div", { class: "notes", role: "status" });
    this.menu = exampleMenu(examples, (example) => this.example(example, true));
    const tools = share({
      state: () => this.state,
      address: this.address,
      codes: async () => (this.kind === "c" ? this.book.codes : [await this.expression.code()]),
      note: (text) => this.note(text),
    });
    const bar = document.getElementById("bar");
    bar.append(
      el("div", { class: "modes", role: "group", "aria-label": "What to work with" }, ...this.modes),
      this.menu.element,
      el("div", { class: "engine" }, this.status, this.stopper),
      tools,
      el("div", { class: "own" }, pastButton((state) => this.show(state, FROM_BEFORE, true)),
        button("Reset", () => this.reset(), { class: "quiet", title: "The example as it was" })),
    ); // prettier-ignore
    const main = document.getElementById("main");
    this.place = el("div");
    main.append(this.notes, this.place, el("p", { id: "said", class: "hidden", role: "status" }));
    if (this.embedded) {
      const whole = el("a", { href: "./", target: "_blank", rel: "noopener" }, "Open in the playground");
      whole.addEventListener("click", async (event) => {
        event.preventDefault();
        const there = await this.address.of(this.state);
        there.search = "";
        open(there, "_blank", "noopener");
      });
      document.getElementById("foot").prepend(whole);
    }
  }

  get state() {
    if (this.shown?.k === "x" && this.pristine) return this.shown;
    return this.kind === "c" ? { k: "c", c: this.book.codes } : this.expression.state;
  }

  // --- what comes onto the page -------------------------------------------------------------------

  async come() {
    const { hash } = location;
    await this.arrive();
    document.body.dataset.at = hash; // what is on the page is what the address says
  }

  async arrive() {
    let state = null;
    try {
      state = await unpacked(location.hash);
    } catch {
      this.note("The link is damaged: it holds nothing that can be shown.");
    }
    if (this.ready && state && JSON.stringify(state) === JSON.stringify(this.state)) return null;
    const example = state?.k === "x" && examples.find((one) => one.id === state.x);
    if (example) return this.example(example);
    if (state && state.k !== "x") return this.show(state, FROM_LINK);
    const before = this.embedded ? null : saved();
    if (before?.state && before.state.k !== "x") return this.show(before.state, FROM_BEFORE);
    return this.example(examples[0]);
  }

  /** The site's own examples compute at once. */
  async example(example, push = false) {
    if (push) this.keep();
    this.origin = example;
    this.shown = { k: "x", x: example.id };
    this.pristine = true;
    this.menu.show(example.id);
    if (example.expression) {
      this.kindIs("e");
      const { text, values } = example.expression;
      await this.expression.open({ e: text, v: values }, example.about);
    } else {
      this.kindIs("c");
      this.book.open(example.cells, "", example.about);
      this.run = this.book.runAll();
    }
    this.pristine = true;
    if (push) this.address.write(this.shown, true);
  }

  /** A state; code among it waits for Run, unless it is the site's own. */
  async show(state, why, push = false) {
    if (state.k === "c") {
      const own = examples.find((one) => one.cells && String(one.cells) === String(state.c));
      if (own) return this.example(own, push);
    }
    if (push) this.keep();
    this.shown = state;
    this.pristine = false;
    this.menu.show(null);
    this.kindIs(state.k);
    if (state.k === "e") await this.expression.open(state);
    else this.book.open(state.c, why);
    if (push) this.address.write(state, true);
  }

  kindIs(kind) {
    this.kind = kind;
    for (const mode of this.modes) mode.setAttribute("aria-pressed", mode.dataset.kind === kind);
    this.place.replaceChildren((kind === "e" ? this.expression : this.book).element);
  }

  async turn(kind) {
    if (kind === this.kind) return;
    if (kind === "c") return this.show({ k: "c", c: [await this.expression.code()] }, "", true);
    const first = examples.find((one) => one.expression);
    await (this.expression.shown ? this.show(this.expression.state, "", true) : this.example(first, true));
  }

  reset() {
    this.keep();
    return this.example(this.origin ?? examples[0], true);
  }

  // --- what becomes of it -------------------------------------------------------------------------

  edited(pushed) {
    if (!this.ready) return;
    this.pristine = this.kind === "c" && this.origin?.cells && String(this.origin.cells) === String(this.book.codes);
    if (!this.pristine) this.menu.show(null);
    this.address.write(this.state, pushed);
    this.unsaved = !this.embedded;
    this.saving ??= later(800, () => this.save());
    this.saving();
  }

  save() {
    if (this.unsaved) save(this.state);
    this.unsaved = false;
  }

  /** A run is a step of the history. */
  ran() {
    if (this.ready && !this.pristine) this.address.write(this.state, true);
    if (this.ready) this.keep();
  }

  keep() {
    if (!this.embedded && this.kind && !this.pristine) remember(this.state);
  }

  busy(busy) {
    this.stopper.disabled = !busy;
    this.status.textContent = busy ? "running" : "ready";
    document.body.dataset.engine = busy ? "running" : "ready";
  }

  note(text, act = null) {
    const line = el("p", { class: "banner" }, text, act && button(act.name, act.do), button("Close", () => line.remove(), { class: "quiet" }));
    this.notes.replaceChildren(line);
  }

  async start() {
    this.pool.current.then(
      () => document.body.dataset.engine ?? this.busy(false),
      (error) => this.broken(error),
    );
    await this.come();
    await this.run;
    this.ready = true;
    this.pool.prepare();
  }

  broken(error) {
    this.status.textContent = "Python could not start";
    this.note(`Python could not start here: ${error.message}. This page needs a browser of 2024 or later: Chrome or Edge 119, Firefox 121, Safari 17.4.`);
  }
}

const page = new Page(JSON.parse(document.getElementById("settings").textContent));
page.start();
if (new URLSearchParams(location.search).has("dev")) window.page = page;
