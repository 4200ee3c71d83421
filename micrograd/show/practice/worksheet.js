// The worksheet's one button: it saves what was typed as a file that `check` reads.
"use strict";
document.getElementById("save")?.addEventListener("click", () => {
  const answers = {};
  for (const field of document.querySelectorAll("td.answer input")) {
    answers[field.dataset.name] = field.value.trim() || null;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(answers, null, 2)], { type: "application/json" }));
  link.download = "answers.json";
  link.click();
  URL.revokeObjectURL(link.href);
});
