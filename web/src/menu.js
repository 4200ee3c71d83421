// The menu of examples, by the chapters of the video; and the past of this browser.

import { button, el, fresh } from "./dom.js";
import { past } from "./store.js";

/** A list to choose from; `chosen(example)`. */
export function exampleMenu(examples, chosen) {
  const id = fresh("examples");
  const chapters = Map.groupBy ? Map.groupBy(examples, (one) => one.chapter) : grouped(examples);
  const groups = [...chapters].map(([chapter, list]) =>
    el("optgroup", { label: chapter }, ...list.map((one) => el("option", { value: one.id }, one.title))),
  );
  const select = el("select", { id, class: "examples" }, el("option", { value: "" }, "Choose an example"), ...groups);
  select.addEventListener("change", () => {
    const example = examples.find((one) => one.id === select.value);
    if (example) chosen(example);
  });
  const element = el("div", { class: "menu" }, el("label", { for: id, class: "hidden" }, "Examples"), select);
  return { element, show: (id) => (select.value = id ?? "") };
}

function grouped(examples) {
  const chapters = new Map();
  for (const one of examples) chapters.set(one.chapter, [...(chapters.get(one.chapter) ?? []), one]);
  return chapters;
}

/** Earlier work of this browser, newest first; `chosen(state)`. */
export function pastButton(chosen) {
  return button("History", () => {
    const entries = past();
    const rows = entries.map(({ state, time }) =>
      el("li", {}, button(titleOf(state), () => (dialog.close(), chosen(state)), { class: "entry" }),
        el("time", {}, new Date(time).toLocaleString())),
    ); // prettier-ignore
    const dialog = el("dialog", { "aria-label": "History", class: "past" },
      el("h2", {}, "History"),
      el("p", {}, entries.length ? "What was on this page before, in this browser:" : "There is nothing yet: what you run is kept here, in this browser."),
      el("ul", {}, ...rows), button("Close", () => dialog.close())); // prettier-ignore
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }, { class: "quiet" });
}

function titleOf(state) {
  const text = state.k === "e" ? state.e : (state.c ?? []).join("\n");
  const line = text.split("\n").find((each) => each.trim() && !each.startsWith("import ")) ?? "(empty)";
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
