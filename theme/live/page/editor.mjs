// An editor in place of a cell's code. It has no colours of its own: its words get the classes that the page's code has.
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { pythonLanguage } from "@codemirror/lang-python";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tagHighlighter, tags as t } from "@lezer/highlight";

const pygments = tagHighlighter([
  { tag: t.keyword, class: "k" },
  { tag: [t.operatorKeyword], class: "ow" },
  { tag: [t.bool, t.null], class: "kc" },
  { tag: [t.operator, t.compareOperator, t.arithmeticOperator, t.bitwiseOperator, t.updateOperator, t.definitionOperator], class: "o" },
  { tag: [t.number, t.integer, t.float], class: "mi" },
  { tag: [t.string, t.special(t.string)], class: "s2" },
  { tag: t.comment, class: "c1" },
  { tag: [t.function(t.definition(t.variableName))], class: "nf" },
  { tag: t.definition(t.className), class: "nc" },
  { tag: t.meta, class: "nd" },
]);

// To the next stop at the caret, as in a plain text; lines that are chosen move as a whole.
function tab(view) {
  const { from, empty } = view.state.selection.main;
  if (!empty) return indentMore(view);
  const column = from - view.state.doc.lineAt(from).from;
  view.dispatch(view.state.update(view.state.replaceSelection(" ".repeat(4 - (column % 4))), { scrollIntoView: true }));
  return true;
}

export function edit(parent, { doc, label, hint, run, changed }) {
  const extensions = [
    highlightSpecialChars(), history(), drawSelection(), lineNumbers(), bracketMatching(), indentOnInput(),
    indentUnit.of("    "), pythonLanguage, syntaxHighlighting(pygments),
    EditorState.tabSize.of(4), EditorView.lineWrapping,
    // What is typed here is no shortcut of the page, which takes a "/" for the way to the search.
    EditorView.domEventHandlers({ keydown: (event) => { if (!event.ctrlKey && !event.metaKey) event.stopPropagation(); } }),
    EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": hint, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
    EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
    keymap.of([
      { key: "Shift-Enter", run: () => (run(), true) },
      { key: "Tab", run: tab, shift: indentLess },
      ...defaultKeymap, ...historyKeymap,
    ]),
  ];
  return new EditorView({ parent, state: EditorState.create({ doc, extensions }) });
}
