// Writes the playground as static files: `node build.mjs --out DIR --wheel WHEEL`.
//
// Every file but index.html bears a hash of its content in its name, so that a cache may keep it for
// ever. files.json lists them. Options of the site around it: see `usage`. Read `main` first.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build as bundle } from "esbuild";
import { archives } from "./build/archives.mjs";
import { examples } from "./build/examples.mjs";
import { factsOf } from "./build/facts.mjs";
import { graphviz } from "./build/graphviz.mjs";
import { licences } from "./build/licences.mjs";
import { policy } from "./build/policy.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const MODULES = join(HERE, "node_modules");
const PACKAGE = "/lib/micrograd.zip"; // in the page's Python
const usage = `node web/build.mjs --out DIR --wheel WHEEL
  --numpy URL           a folder with Pyodide's own NumPy (and its pyodide-lock.json), loaded when asked for
  --home URL            where the site's own pages are, as seen from the playground, such as ../
  --service-worker URL  registered by the page, as seen from the playground
  --manifest URL        of the installable site`;

const options = {
  out: { type: "string" },
  wheel: { type: "string" },
  numpy: { type: "string" },
  home: { type: "string" },
  "service-worker": { type: "string" },
  manifest: { type: "string" },
};

async function main() {
  const { values: given } = parseArgs({ options });
  if (!given.out || !given.wheel) throw new Error(`--out and --wheel are needed\n\n${usage}`);
  if (!existsSync(MODULES)) throw new Error("run `npm ci` in web/ first");
  mkdirSync(given.out, { recursive: true });
  const written = new Map(); // name -> bytes
  const write = (name, content) => {
    const bytes = Buffer.from(content);
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
    const end = extname(name);
    const full = `${basename(name, end)}.${hash}${end}`;
    written.set(full, bytes);
    return full;
  };

  const made = await archives(readFileSync(given.wheel), pythonFiles(), PACKAGE);
  const facts = factsOf(made.python);
  const drawing = graphviz(MODULES);
  const core = (name) => readFileSync(join(MODULES, "pyodide", name));
  const inWorker = { "built:package": PACKAGE, "built:lock": lock(), "@viz-js/viz": drawing.code };
  const files = {
    wasm: write("pyodide.asm.wasm", core("pyodide.asm.wasm")),
    library: write("python_stdlib.zip", made.library),
    package: write("micrograd.zip", made.package),
    graphviz: write("graphviz.wasm", drawing.wasm),
    worker: write("worker.js", await script("worker/main.js", inWorker)),
  };
  const frame = await script("src/frame/inside.js", {}, "iife");
  const settings = {
    files,
    frame: frame.trim(),
    frameScripts: [...facts.scripts, sha256(frame.trim())],
    numpy: given.numpy ?? null,
    home: given.home ?? null,
    serviceWorker: given["service-worker"] ?? null,
    version: facts.version,
  };
  const editing = write("codemirror.js", await script("src/codemirror.js"));
  const app = await script("src/main.js", { "built:examples": examples(join(HERE, "examples")) }, "esm", {
    "./codemirror.js": `./${editing}`,
  });
  const page = readFileSync(join(HERE, "index.html"), "utf8");
  const style = facts.colours + "\n" + facts.picture + "\n" + readFileSync(join(HERE, "src/style.css"), "utf8");
  const parts = {
    policy: policy(settings),
    style: write("style.css", (await minified(style, "css"))),
    app: write("app.js", app),
    preload: [`<link rel="modulepreload" href="${editing}">`]
      .concat(Object.values(files).map((name) => `<link rel="preload" as="fetch" crossorigin href="${name}">`))
      .join("\n"),
    manifest: given.manifest ? `<link rel="manifest" href="${given.manifest}">` : "",
    home: given.home ? `<a class="home" href="${given.home}">micrograd</a>` : '<span class="home">micrograd</span>',
    settings: JSON.stringify(settings).replaceAll("<", "\\u003c"),
  };
  written.set("index.html", Buffer.from(page.replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name])));
  written.set("LICENSES.txt", Buffer.from(licences(HERE)));
  for (const [name, bytes] of written) writeFileSync(join(given.out, name), bytes);
  const list = [...written].map(([name, bytes]) => ({
    name,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
  writeFileSync(join(given.out, "files.json"), JSON.stringify(list, null, 1) + "\n");
  const total = list.reduce((sum, file) => sum + file.bytes, 0);
  console.log(`${given.out}: ${list.length} files, ${(total / 1e6).toFixed(1)} MB`);
}

/** One file of a script and all that it imports; `virtual` modules are made here: JSON, but for a package's own script;
 * what is `apart` is imported from another file of the page. */
async function script(entry, virtual = {}, format = "esm", apart = {}) {
  const plugin = {
    name: "virtual",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path }) => {
        if (path in apart) return { path: apart[path], external: true };
        return path in virtual ? { path, namespace: "virtual" } : null;
      });
      build.onLoad({ filter: /./, namespace: "virtual" }, ({ path }) =>
        path.startsWith("built:")
          ? { contents: JSON.stringify(virtual[path]), loader: "json" }
          : { contents: virtual[path], loader: "js" },
      );
    },
  };
  const done = await bundle({
    entryPoints: [join(HERE, entry)],
    bundle: true,
    minify: true,
    write: false,
    format,
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    external: ["node:*", "ws"], // what Pyodide would load under Node
    logLevel: "error",
    plugins: [plugin],
  });
  return done.outputFiles[0].text;
}

async function minified(text, loader) {
  const { transform } = await import("esbuild");
  return (await transform(text, { loader, minify: true })).code;
}

/** The Python that runs the cells, by its path beside the package. */
function pythonFiles() {
  const root = join(HERE, "python");
  const found = readdirSync(root, { recursive: true }).map(String).sort();
  return Object.fromEntries(
    found.filter((name) => name.endsWith(".py")).map((name) => [name, readFileSync(join(root, name), "utf8")]),
  );
}

/** Pyodide's own list of packages, of which none is here. */
function lock() {
  const { info } = JSON.parse(readFileSync(join(MODULES, "pyodide", "pyodide-lock.json"), "utf8"));
  return { info, packages: {} };
}

const sha256 = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

try {
  await main();
} catch (error) {
  console.error(String(error.message).slice(0, 3000)); // the whole would print all of Pyodide
  process.exit(1);
}
