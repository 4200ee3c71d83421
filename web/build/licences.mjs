// The licences of everything that the page ships, each in full.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const BUILD_ONLY = new Set(["esbuild"]);
const INSIDE = `Inside these: CPython and its standard library (PSF-2.0), in Pyodide; Graphviz (EPL-2.0) and Expat (MIT),
in @viz-js/viz.`;

export function licences(here) {
  const listed = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8")).packages;
  const parts = ["What the playground is made of, beside micrograd itself (MIT).", INSIDE];
  for (const [path, { version, license, dev, optional }] of Object.entries(listed)) {
    const name = path.replace(/^.*node_modules\//, "");
    if (!path || dev || optional || BUILD_ONLY.has(name) || !existsSync(join(here, path))) continue;
    parts.push(`${"=".repeat(78)}\n${name} ${version}: ${license}\n\n${text(join(here, path))}`.trim());
  }
  return parts.join("\n\n") + "\n";
}

function text(folder) {
  const name = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  return name ? readFileSync(join(folder, name), "utf8").trim() : "";
}
