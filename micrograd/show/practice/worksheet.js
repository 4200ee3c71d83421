// The worksheet's page: it marks an answer where the sheet allows it (`check`), and saves what was typed
// as a file that `check` of micrograd reads.
"use strict";
(() => {
  const sheet = document.querySelector(".sheet"), tries = {};
  const fields = [...document.querySelectorAll("td.answer input")];
  const asked = JSON.parse(document.getElementById("questions")?.textContent || "null");

  function el(tag, classes, ...children) {
    const element = document.createElement(tag);
    element.className = classes;
    element.append(...children); // strings become text
    return element;
  }

  // --- marking ----------------------------------------------------------------------------------

  const SAID = { right: "Right.", "right so far": "Right so far: give three digits.",
    "not readable": "Write one number, such as −1.5, 3/4 or 2e-3." };

  // the learner's own gradients: what follows from them is right
  function own() {
    const read = fields.map((field) => [Number(field.dataset.node), answers.read(field.value)]);
    return new Map(read.filter(([, x]) => x !== null && x !== undefined));
  }

  function said({ status, keys, early }) {
    if (status !== "wrong") return [el("b", "", SAID[status])];
    const lines = keys.map((key, k) => {
      const [name, hint] = asked.mistakes[key];
      return el("p", "", el("b", "", `${k ? "Or" : "Looks like"}: ${name}. `), hint);
    });
    if (!keys.length) lines.push(el("p", "", "No known mistake gives this number. Work out each local derivative "
      + "and what arrives, and add over all uses."));
    if (early) lines.push(el("p", "", "If it is rounded: give three digits."));
    return [el("b", "", "Not right yet."), ...lines];
  }

  function marked(field, row, told) {
    const question = asked.questions[field.dataset.node], text = field.value.trim();
    if (answers.read(text) === null) return field.focus();
    const others = own();
    const verdict = answers.judge(text, question, others);
    const name = field.dataset.name;
    if (verdict.status !== "not readable" && field.dataset.tried !== text) tries[name] = (tries[name] || 0) + 1;
    field.dataset.tried = text;
    row.dataset.status = verdict.status;
    const count = tries[name] > 1 ? [el("small", "", `${tries[name]} tries`)] : [];
    told.replaceChildren(...said(verdict), ...count);
    document.getElementById("status").textContent = told.textContent;
  }

  if (asked) {
    const status = el("p", "aside", "");
    status.id = "status";
    status.setAttribute("role", "status");
    document.querySelector("main").append(status);
    fields.forEach((field) => {
      const row = field.closest("tr"), told = document.createElement("td"), after = el("tr", "told", told);
      told.colSpan = 3; // the work is for paper
      row.after(after);
      const check = () => marked(field, row, told);
      row.querySelector("button").addEventListener("click", check);
      field.addEventListener("keydown", (e) => { if (e.key === "Enter") check(); });
      field.addEventListener("input", () => {
        delete row.dataset.status;
        told.replaceChildren();
      });
    });
  }

  // --- saving ------------------------------------------------------------------------------------

  document.getElementById("save")?.addEventListener("click", () => {
    const name = document.getElementById("name").value.trim(), given = {};
    for (const field of fields) given[field.dataset.name] = field.value.trim() || null;
    const saved = { sheet: sheet.dataset.sheet, name, answers: given };
    if (asked) saved.tries = tries;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(saved, null, 2)], { type: "application/json" }));
    const who = name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
    link.download = ["answers", sheet.dataset.sheet, who].filter(Boolean).join("-") + ".json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
})();
