// The page's address follows its state: quietly while a number is dragged, as a step of the browser's
// history when it is let go, so that Back is undo.

import { packed } from "./link.js";

const PAUSE = 250; // milliseconds: browsers slow pages down that change their address more often

export class Address {
  constructor() {
    this.last = 0;
    this.timer = 0;
    this.turn = 0;
  }

  /** The address of a state. */
  async of(state) {
    const hash = state.k === "x" ? `x=${encodeURIComponent(state.x)}` : await packed(state);
    const address = new URL(location.href);
    address.hash = hash;
    return address;
  }

  async write(state, push) {
    clearTimeout(this.timer);
    if (!push) {
      const wait = this.last + PAUSE - performance.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.write(state, false), wait);
        return;
      }
    }
    this.last = performance.now();
    const turn = ++this.turn; // packing takes a moment, in which a later state may come
    const address = await this.of(state);
    if (turn !== this.turn) return;
    this.last = performance.now();
    if (push && address.href !== this.pushed) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    this.pushed = push ? address.href : this.pushed;
  }
}
