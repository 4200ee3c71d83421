// Python in WebAssembly for tests/test_pyodide.py: `node python.mjs pyodide.mjs package.zip`.
// A line is a script, as JSON; the answer is a line, too: what its last expression gave, or its error.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [module, archive] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(module));
globalThis.fetch = () => {
  throw new Error("these tests need no network");
};
console.log = console.error; // standard output is for answers
const python = await loadPyodide({ stdout: console.error, stderr: console.error });
python.unpackArchive(new Uint8Array(readFileSync(archive)), "zip", { extractDir: "/package" });
python.runPython("import sys; sys.path.insert(0, '/package')");

const answer = (what) => process.stdout.write(JSON.stringify(what) + "\n");
answer({ value: python.runPython("sys.version") });
for await (const line of createInterface({ input: process.stdin })) {
  const globals = python.toPy({ __name__: "script" });
  try {
    answer({ value: python.runPython(JSON.parse(line), { globals }) ?? null });
  } catch (error) {
    if (error.pyodide_fatal_error) {
      console.error(String(error)); // an uncaught one would print the whole of Pyodide's source
      process.exit(1);
    }
    answer({ error: error.message });
  }
  globals.destroy();
}
