// Graphviz as WebAssembly, out of the text in which @viz-js/viz keeps it: as a file of its own it is half a
// megabyte smaller, for in text half of its bytes become two or four.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const KEPT = /return binaryDecode\(('(?:[^'\\]|\\[^])*')\)/;
const MAGIC = "\0asm";

/** `{ wasm, code }`: the module's bytes, and the script, which asks `self.graphviz` for them. */
export function graphviz(modules) {
  const text = readFileSync(join(modules, "@viz-js/viz/dist/viz.js"), "utf8");
  const [whole, literal] = KEPT.exec(text) ?? [];
  const wasm = literal && Buffer.from(new Function(`return ${literal}`)(), "latin1");
  if (wasm?.subarray(0, 4).toString("latin1") !== MAGIC) {
    throw new Error("@viz-js/viz keeps its WebAssembly in another form than build/graphviz.mjs knows");
  }
  return { wasm, code: text.replace(whole, () => "return self.graphviz") };
}
