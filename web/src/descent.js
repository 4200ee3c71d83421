// Steps against the gradient: one, or one after the other, with the results as a curve.

import { button, el, fresh } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const PAUSE = 90; // milliseconds between two steps of play
const [WIDE, HIGH, MOST] = [280, 64, 300];

export class Descent {
  /** `step(leaves, rate)` gives the results before and after it; `rests()` hears of the last one. */
  constructor(step, leaves, rests) {
    Object.assign(this, { step, leaves, rests, playing: false });
    const rate = fresh("rate");
    this.field = el("input", { id: rate, class: "number", value: "0.05", inputmode: "decimal", autocomplete: "off" });
    this.once = button("Step", () => this.go().then(() => this.rests()));
    this.play = button("Play", () => this.toggle(), { "aria-pressed": "false" });
    this.line = document.createElementNS(SVG, "path");
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
    this.svg.setAttribute("role", "img");
    this.svg.append(this.line);
    this.said = el("p", { class: "said" });
    this.curve = el("div", { class: "curve", hidden: true }, this.svg, this.said);
    this.element = el("div", { class: "descent", role: "group", "aria-label": "Gradient descent" },
      el("label", { for: rate }, "Learning rate"), this.field, this.once, this.play, this.curve); // prettier-ignore
  }

  get rate() {
    const rate = Number(this.field.value);
    return Number.isFinite(rate) && rate > 0 ? rate : 0.05;
  }

  reset() {
    this.results = [];
    this.stop();
    this.draw();
  }

  async go() {
    const leaves = this.leaves();
    if (!leaves.length) return this.tell("No number learns: tick the box before one.");
    const gave = await this.step(leaves, this.rate);
    if (!gave) return this.stop();
    if (this.results.at(-1) !== gave.before) this.results = [gave.before];
    this.results.push(gave.after);
    if (this.playing && this.results.length > MOST) this.toggle();
    this.draw();
  }

  toggle() {
    if (this.playing) {
      this.stop();
      return this.rests();
    }
    this.playing = true;
    this.mark();
    const next = async () => {
      if (!this.playing || !this.element.isConnected) return this.stop();
      await this.go();
      if (this.playing) setTimeout(next, PAUSE);
    };
    next();
  }

  stop() {
    this.playing = false;
    this.mark();
  }

  mark() {
    this.play.textContent = this.playing ? "Pause" : "Play";
    this.play.setAttribute("aria-pressed", this.playing);
  }

  tell(text) {
    this.stop();
    this.curve.hidden = false;
    this.said.textContent = text;
  }

  draw() {
    const ys = this.results.filter(Number.isFinite);
    this.curve.hidden = ys.length < 2;
    if (ys.length < 2) return;
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    const place = (y, k) =>
      `${(4 + (k * (WIDE - 8)) / (ys.length - 1)).toFixed(1)},${(HIGH - 6 - ((y - low) / (high - low || 1)) * (HIGH - 12)).toFixed(1)}`;
    this.line.setAttribute("d", `M${ys.map(place).join("L")}`);
    const said = `${ys.length - 1} ${ys.length > 2 ? "steps" : "step"}: from ${short(ys[0])} to ${short(ys.at(-1))}`;
    this.said.textContent = said;
    this.svg.setAttribute("aria-label", `The result over the steps. ${said}`);
  }
}

const short = (y) => String(Number(y.toPrecision(5))).replace("-", "\u2212");
