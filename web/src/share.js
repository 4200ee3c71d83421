// Links, embed code and the file of what is on the page.

import { announce, button, el } from "./dom.js";

/** The buttons; `state()` gives what to share, `address` its address. */
export function share({ state, address, codes, note }) {
  const copy = async (text, what) => {
    try {
      await navigator.clipboard.writeText(text);
      note(`${what} is in the clipboard.`);
    } catch {
      byHand(text, what);
    }
  };
  const link = async () => copy((await address.of(state())).href, "The link");
  const embed = async () => {
    const source = await address.of(state());
    source.searchParams.set("embed", "1");
    const safe = source.href.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    await copy(
      `<iframe src="${safe}" title="micrograd playground" width="100%" height="620" style="border:1px solid #8884" allow="clipboard-write"></iframe>`,
      "The embed code",
    );
  };
  const download = async () => {
    const text = (await codes()).join("\n\n# %%\n").trimEnd() + "\n";
    const file = URL.createObjectURL(new Blob([text], { type: "text/x-python" }));
    el("a", { href: file, download: "micrograd_playground.py" }).click();
    setTimeout(() => URL.revokeObjectURL(file), 1000);
    announce("The file is being downloaded.");
  };
  return el("div", { class: "share", role: "group", "aria-label": "Share" },
    button("Copy link", link), button("Copy embed code", embed), button("Download .py", download)); // prettier-ignore
}

/** Where the clipboard is closed to the page, the text is there to be copied. */
function byHand(text, what) {
  const field = el("textarea", { readonly: true, rows: 4, "aria-label": what });
  field.value = text;
  const dialog = el("dialog", { "aria-label": what },
    el("p", {}, `${what}, to copy:`), field, button("Close", () => dialog.close())); // prettier-ignore
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  field.select();
}
