// What a cell prints and shows, on its way to the page: at once at first, then in portions, and never
// so much that the page would be busy with nothing else.

const AT_ONCE = 100; // writes
const PAUSE = 50; // milliseconds between two portions after these
const MOST_TEXT = 200_000; // characters of a cell
const MOST_RICH = 60; // pictures and pages of a cell
const MOST_BYTES = 30_000_000; // of these

export class Output {
  constructor(send) {
    this.send = send;
    this.begin(null);
  }

  begin(id) {
    this.named = new Map();
    this.drawn = 0;
    Object.assign(this, { id, writes: 0, sent: 0, waiting: "", held: "", stream: "", last: 0, shown: 0, bytes: 0, full: false });
  }

  /** Of the streams stdout, stderr and error. */
  text(stream, text) {
    if (this.sent > MOST_TEXT) return;
    if (stream !== this.stream) this.flush();
    this.stream = stream;
    this.sent += text.length;
    if (this.sent > MOST_TEXT) {
      this.waiting += text.slice(0, text.length - (this.sent - MOST_TEXT));
      this.flush();
      this.note(`The output ends here, at ${MOST_TEXT.toLocaleString("en")} characters.`);
      return;
    }
    this.waiting += text;
    this.writes += 1;
    if (this.writes <= AT_ONCE || performance.now() - this.last >= PAUSE) this.flush();
  }

  /** A picture or a page; what bears the name of an earlier one replaces it. */
  rich(kind, content, name) {
    this.flush();
    if (name && this.named.has(name)) return this.replace(kind, content, name);
    if (name) this.named.set(name, null);
    this.shown += 1;
    this.bytes += content.length;
    if (this.shown > MOST_RICH || this.bytes > MOST_BYTES) {
      if (!this.full) this.note("No more is shown: a cell has shown more than a page can hold.");
      this.full = true;
      return;
    }
    this.send({ id: this.id, kind, content, name });
  }

  /** A drawing that grows is sent as often as a person sees it change. */
  replace(kind, content, name) {
    this.named.set(name, { id: this.id, kind, content, name, again: true });
    if (performance.now() - this.drawn >= PAUSE) this.redraw();
  }

  redraw() {
    for (const [name, message] of this.named) {
      if (message) this.send(message);
      this.named.set(name, null);
    }
    this.drawn = performance.now();
  }

  note(text) {
    this.send({ id: this.id, kind: "note", content: text });
  }

  flush() {
    if (this.waiting) this.send({ id: this.id, kind: "text", stream: this.stream, content: this.waiting });
    this.waiting = "";
    this.last = performance.now();
  }

  /** What is written past sys.stdout; the last words of a dying interpreter are not for learners. */
  below(text) {
    this.held = (this.held + text).slice(0, MOST_TEXT);
  }

  end(dead = false) {
    if (this.held && !dead) this.text("stdout", this.held);
    this.flush();
    this.redraw();
  }
}
