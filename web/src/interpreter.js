// One Python in a worker: orders go in, answers and outputs come out.
//
// The worker's address is data:, so it has no origin of ours: what runs in it reaches no storage, no
// cache and no cookie of the site. All that it says is data; the page makes text of it.

// loads its code from what the page sends: an address of the site would be another origin to it
const BOOT = `onmessage = async ({ data }) => {
  onmessage = null;
  const kept = [];
  self.onmessage = ({ data }) => kept.push(data);
  const address = URL.createObjectURL(data);
  await import(address);
  URL.revokeObjectURL(address);
  for (const data of kept) self.onmessage({ data });
};`;

export class Interpreter {
  /** `files` as `fetched` gives them. */
  constructor(files) {
    this.waiting = new Map(); // id -> what becomes of the order
    this.last = 0;
    this.dead = false;
    this.worker = new Worker(`data:text/javascript,${encodeURIComponent(BOOT)}`, { type: "module" });
    this.ready = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.ready.catch(() => {}); // who orders something hears of it
    this.worker.onmessage = ({ data }) => this.hear(data, files);
    this.worker.onerror = (event) => {
      event.preventDefault();
      if (!this.begun) this.die(event.message || "the worker failed"); // later it is a learner's own
    };
    this.worker.postMessage(new Blob([files.worker], { type: "text/javascript" }));
  }

  hear(message, files) {
    if (message === null || typeof message !== "object") return;
    if (message.kind === "loaded" && !this.started) {
      this.started = true;
      const { module, library, archive, graphviz } = files;
      this.worker.postMessage({ order: "start", module, library, archive, graphviz });
    } else if (message.kind === "ready") {
      this.begun = true;
      this.resolve(this);
    } else if (message.kind === "broken" && !this.begun) this.die(String(message.text));
    else this.answer(message);
  }

  answer(message) {
    const order = this.waiting.get(message.id);
    if (!order) return;
    if (message.kind === "done" || message.kind === "failed") {
      this.waiting.delete(message.id);
      if (message.kind === "done") order.resolve(message.answer);
      else order.reject(new Error(String(message.text)));
    } else if (message.kind === "fatal") this.die(String(message.text));
    else order.output?.(message);
  }

  /** What an order gives; `output` hears what it prints and shows meanwhile. */
  async order(order, details = {}, output = null) {
    await this.ready;
    if (this.dead) throw new Gone("this Python has ended");
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, output });
      this.worker.postMessage({ id, order, ...details });
    });
  }

  /** The interpreter is gone, by itself or because somebody pressed Stop. */
  die(why) {
    if (this.dead) return;
    this.dead = true;
    this.worker.terminate();
    const gone = why instanceof Gone ? why : new Gone(why);
    this.reject(gone);
    for (const { reject } of this.waiting.values()) reject(gone);
    this.waiting.clear();
  }
}

export class Gone extends Error {}
