// Graphviz in WebAssembly for tests/show/test_layout.py: `node layout.mjs viz.js`.
// A line is DOT, as JSON; the answer is a line, too: the layout in Graphviz's format json0.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { instance } = await import(pathToFileURL(process.argv[2]));
const viz = await instance();
for await (const line of createInterface({ input: process.stdin })) {
  const { output, errors } = viz.render(JSON.parse(line), { format: "json0", engine: "dot" });
  process.stdout.write(JSON.stringify({ layout: output, errors, version: viz.graphvizVersion }) + "\n");
}
