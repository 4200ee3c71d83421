// The Python that works, and a spare that has started already, so that Stop costs no waiting.

import { Interpreter } from "./interpreter.js";
import { fetched } from "./files.js";

const PAUSE = 1000; // milliseconds

export class Pool {
  constructor(files) {
    this.files = fetched(files);
    this.current = this.started();
    this.spare = null;
    this.session = 1; // grows when a fresh Python takes over
  }

  async started() {
    const interpreter = new Interpreter(await this.files);
    return interpreter.ready;
  }

  /** Starts the spare, a little later than what somebody waits for. */
  prepare() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const warm = (interpreter) => interpreter?.order("warm").catch(() => {});
      this.current.then(warm, () => {});
      this.spare ??= this.started().catch(() => null);
      this.spare.then(warm).then(() => this.spared?.());
    }, PAUSE);
  }

  /** Ends the working Python; the spare takes its place. */
  async replace(gone) {
    this.session += 1;
    const old = this.current;
    const spare = this.spare;
    this.spare = null;
    this.current = (async () => (spare && (await spare)) || this.started())();
    old.then((interpreter) => interpreter.die(gone), () => {});
    await this.current;
    this.prepare();
  }

  async order(...order) {
    return (await this.current).order(...order);
  }
}
