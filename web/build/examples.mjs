// The menu's examples: web/examples/NN-name.py, whose first lines say chapter and title.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const HEAD = /^# (chapter|title|kind|about): (.*)\n/;

/** In the order of their file names; a cell begins at a line `# %%`. */
export function examples(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".py")).sort();
  const found = names.map((name) => one(name.replace(/^\d+-|\.py$/g, ""), readFileSync(join(folder, name), "utf8")));
  const ids = found.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice) throw new Error(`two examples are called ${twice}`);
  return found;
}

function one(id, text) {
  const example = { id };
  for (let head; (head = HEAD.exec(text)); text = text.slice(head[0].length)) example[head[1]] = head[2];
  for (const name of ["chapter", "title"]) {
    if (!example[name]) throw new Error(`example ${id} does not say its ${name}`);
  }
  if (example.kind === "expression") return { ...example, expression: expression(text) };
  return { ...example, cells: text.split(/^# %%.*\n/m).map((cell) => cell.trim()).filter(Boolean) };
}

/** `x = 2` a line, and last the expression. */
function expression(text) {
  const lines = text.trim().split("\n");
  const values = lines.slice(0, -1).map((line) => line.split("=").map((part) => part.trim()));
  return { text: lines.at(-1), values: Object.fromEntries(values.map(([name, x]) => [name, Number(x)])) };
}
