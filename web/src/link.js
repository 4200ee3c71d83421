// What a link holds: the state as JSON, deflated, in letters that an address may have. Data from a
// link is read as data; code among it waits until somebody runs it.

const MOST = 400_000; // characters of a state
const NAME = /^[^\W\d]\w{0,60}$/u;
const VIEWS = ["graph", "stepper", "quiz", "explain", "worksheet"];

export async function packed(state) {
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(state)));
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return `1${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** The state of an address's hash: `{x: id}` of an example, or what `packed` wrote; else null. */
export async function unpacked(hash) {
  const text = hash.replace(/^#/, "");
  if (text.startsWith("x=")) return { k: "x", x: decodeURIComponent(text.slice(2)) };
  if (!text.startsWith("1")) return null;
  const bytes = Uint8Array.from(atob(text.slice(1).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return checked(JSON.parse(new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), bytes))));
}

async function through(stream, bytes) {
  const writer = stream.writable.getWriter();
  writer.write(bytes).catch(() => {});
  writer.close().catch(() => {});
  const [parts, reader] = [[], stream.readable.getReader()];
  let size = 0;
  for (let part; !(part = await reader.read()).done; ) {
    parts.push(part.value);
    if ((size += part.value.length) > 4 * MOST) throw new Error("the link holds too much"); // or it never ends
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** Only what is expected comes in, each of its kind. */
function checked(state) {
  if (state?.k === "e" && typeof state.e === "string" && state.e.length <= 1000) {
    const values = Object.entries(state.v ?? {}).filter(([name, x]) => NAME.test(name) && Number.isFinite(x));
    const view = VIEWS.includes(state.w) ? state.w : "graph";
    const step = Number.isInteger(state.s) && state.s >= 0 ? state.s : 0;
    return { k: "e", e: state.e, v: Object.fromEntries(values), w: view, s: step };
  }
  if (state?.k === "c" && Array.isArray(state.c) && state.c.every((code) => typeof code === "string")) {
    if (state.c.length <= 200 && state.c.join("").length <= MOST) return { k: "c", c: state.c };
  }
  throw new Error("this link holds nothing that the page knows");
}
