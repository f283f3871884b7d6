/** The editor of one exercise cell. */

import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import {
  defaultKeymap,
  history,
  historyKeymap,
  indentWithTab,
  isolateHistory,
} from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState, type Extension, Transaction } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tokens } from "../site/highlight";
import { make } from "./dom";

/** The page's bar covers this much of its top. */
const BAR_PIXELS = 64;

/** Marks changes that did not come from the student's hands in this editor. */
const fromOutside = Annotation.define<boolean>();

const look = EditorView.theme({
  "&": {
    color: "var(--code-ink)",
    backgroundColor: "var(--surface)",
    fontSize: "var(--code-size)",
  },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", fontVariantLigatures: "none" },
  ".cm-content": { padding: "var(--space-2) 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 var(--space-3) 0 var(--space-2)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  ".cm-gutters": {
    border: "0",
    backgroundColor: "var(--surface)",
    color: "var(--muted)",
    fontVariantNumeric: "tabular-nums",
  },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "2.5rem", padding: "0 var(--space-2)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--accent-tint) 55%, transparent)",
  },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { background: "var(--selection)" },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "transparent",
    outline: "1px solid var(--accent)",
  },
  "&.cm-focused .cm-nonmatchingBracket": {
    backgroundColor: "transparent",
    outline: "1px solid var(--failed)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-tint)" },
  ".cm-searchMatch": { backgroundColor: "var(--error-tint)", outline: "1px solid var(--error)" },
  ".cm-panels": { zIndex: "4", backgroundColor: "var(--sunken)", color: "var(--ink)" },
  // Below the bar, which stays at the top of the page.
  ".cm-panels-top": { top: "var(--bar-height) !important", borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "var(--space-2) var(--space-3)", fontFamily: "var(--sans)" },
  ".cm-panel.cm-search label": { fontSize: "var(--text-small)" },
  ".cm-panel.cm-search [name=close]": { fontSize: "1.25rem", color: "var(--muted)" },
  ".cm-textfield": {
    border: "1px solid var(--line-strong)",
    borderRadius: "var(--corner)",
    backgroundColor: "var(--surface)",
    fontSize: "var(--text-small)",
  },
  ".cm-button": {
    border: "1px solid var(--line-strong)",
    borderRadius: "var(--corner)",
    background: "var(--surface)",
    color: "var(--ink)",
    fontSize: "var(--text-small)",
  },
});

export interface CellEditorOptions {
  readonly parent: HTMLElement;
  readonly source: string;
  readonly label: string;
  readonly describedBy: string;
  readonly onEdit: (source: string) => void;
}

function behaviour(options: CellEditorOptions): Extension {
  return [
    lineNumbers(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches({ minSelectionLength: 3 }),
    indentUnit.of("    "),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    search({ top: true }),
    EditorView.scrollMargins.of(() => ({ top: BAR_PIXELS, bottom: BAR_PIXELS / 2 })),
    python(),
    syntaxHighlighting(tokens),
    look,
    EditorView.contentAttributes.of({
      "aria-label": options.label,
      "aria-describedby": options.describedBy,
      // A scrolling region has to be reachable; not every tool takes contenteditable for an answer.
      tabindex: "0",
      spellcheck: "false",
      autocorrect: "off",
      autocapitalize: "off",
    }),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...historyKeymap,
      ...searchKeymap,
      indentWithTab,
    ]),
    EditorView.updateListener.of((update) => {
      const typed = update.transactions.some(
        (transaction) => transaction.docChanged && !transaction.annotation(fromOutside),
      );
      if (typed) options.onEdit(update.state.doc.toString());
    }),
  ];
}

export class CellEditor {
  readonly view: EditorView;
  readonly #paper = make("pre", { class: "editor__paper" });

  constructor(options: CellEditorOptions) {
    options.parent.replaceChildren(this.#paper);
    this.view = new EditorView({
      parent: options.parent,
      state: EditorState.create({ doc: options.source, extensions: behaviour(options) }),
    });
  }

  get source(): string {
    return this.view.state.doc.toString();
  }

  /** Replaces the whole text as one step that undo takes back. `silent`: nobody is told. */
  replace(source: string, silent = false): void {
    if (source === this.source) return;
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: source },
      annotations: [
        isolateHistory.of("full"),
        Transaction.userEvent.of("input.replace"),
        ...(silent ? [fromOutside.of(true)] : []),
      ],
    });
  }

  /** The whole text, for printing. */
  writePaper(): void {
    this.#paper.textContent = this.source;
  }

  focusLine(line: number): void {
    const { doc } = this.view.state;
    const found = doc.line(Math.min(Math.max(1, line), doc.lines));
    this.view.focus();
    this.view.dispatch({
      selection: { anchor: found.from, head: found.to },
      effects: EditorView.scrollIntoView(found.from, { y: "center" }),
    });
  }
}
