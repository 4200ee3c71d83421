// The editor of a cell: Python in colours, with undo, indentation and matching brackets.

import {
  bracketMatching, classHighlighter, closeBrackets, closeBracketsKeymap, defaultKeymap, drawSelection, EditorState, EditorView,
  highlightActiveLine, history, historyKeymap, indentOnInput, indentUnit, indentWithTab, keymap, lineNumbers, python,
  syntaxHighlighting,
} from "./codemirror.js"; // prettier-ignore

/** `changed()` after each change; `run(next)` on Ctrl+Enter, with `next` on Shift+Enter. */
export function editor(text, label, { changed, run }) {
  const keys = [
    { key: "Ctrl-Enter", mac: "Cmd-Enter", run: () => (run(false), true) },
    { key: "Ctrl-Enter", run: () => (run(false), true) },
    { key: "Shift-Enter", run: () => (run(true), true) },
  ];
  return new EditorView({
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of(keys),
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        python(),
        indentUnit.of("    "),
        syntaxHighlighting(classHighlighter),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => update.docChanged && changed()),
        EditorView.contentAttributes.of({
          "aria-label": `${label}. Escape, then Tab, leaves the editor.`,
          spellcheck: "false",
        }),
        EditorView.lineWrapping,
      ],
    }),
  });
}

export const textOf = (view) => view.state.doc.toString();

export function replaceText(view, text) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}
