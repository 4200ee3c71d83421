// Python, in a worker: it waits for what the page has loaded, starts, and then does what it is told.
//
// It lives at a data: address, so it has no origin: the page hands over every file as bytes, and
// whatever code runs here reaches neither the site's storage nor its caches. Read `start` first.
import { loadPyodide } from "pyodide";
import createPyodideModule from "../node_modules/pyodide/pyodide.asm.mjs";
import { instance } from "@viz-js/viz";
import lock from "built:lock";
import path from "built:package";
import { given } from "./given.js";
import { Output } from "./output.js";

const SITE_PACKAGES = "/lib/python3.14/site-packages";
const output = new Output((message) => self.postMessage(message));
let python, session;

async function start({ module, library, archive, graphviz }) {
  self.graphviz = new Uint8Array(graphviz); // where build/graphviz.mjs has the script look for it
  const [loaded, viz] = await Promise.all([
    given(module, library, (indexURL) =>
      loadPyodide({
        indexURL,
        createPyodideModule,
        lockFileContents: lock,
        packageBaseUrl: indexURL,
        stdout: (text) => output.below(`${text}\n`),
        stderr: (text) => output.below(`${text}\n`),
      }),
    ),
    instance(),
  ]);
  delete self.graphviz;
  python = loaded;
  python.FS.writeFile(path, new Uint8Array(archive));
  python.runPython(`import sys; sys.path.insert(0, ${JSON.stringify(path)})`);
  const begin = python.pyimport("playground").begin;
  session = begin(
    (stream, text) => output.text(stream, text),
    (kind, content, more) => output.rich(kind, content, more),
    (dot, format) => viz.renderString(dot, { format }),
  );
  begin.destroy();
}

const orders = {
  run: ({ code, cell }) => session.run(code, cell),
  live: ({ asked }) => session.live(JSON.stringify(asked)),
  warm: () => session.warm(),
  needs: ({ code }) => session.needs(code),
  unpack: ({ bytes }) => python.unpackArchive(bytes, "wheel", { extractDir: SITE_PACKAGES }),
};

async function obey({ id, order, ...rest }) {
  output.begin(id);
  try {
    const answer = orders[order](rest);
    output.end();
    self.postMessage({ id, kind: "done", answer: answer ?? null });
  } catch (error) {
    // an error of Python's is an answer; anything else means that the interpreter is gone
    const dead = error?.name !== "PythonError";
    output.end(dead);
    self.postMessage({ id, kind: dead ? "fatal" : "failed", text: String(error?.message ?? error) });
  }
}

self.onmessage = async ({ data }) => {
  if (data.order !== "start") return obey(data);
  try {
    await start(data);
    self.postMessage({ kind: "ready" });
  } catch (error) {
    self.postMessage({ kind: "broken", text: String(error) });
  }
};
self.postMessage({ kind: "loaded" });
