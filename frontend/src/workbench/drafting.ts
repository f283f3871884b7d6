/** The editors, and the line that says whether what stands in them is safe. */

import type { Answers } from "./answers";
import { Autosave } from "./autosave";
import { startersOf, type WorkbenchConfig, wholeDraft } from "./config";
import { renderConflict } from "./conflict";
import { make, notice } from "./dom";
import { CellEditor } from "./editor";
import { LocalCopy } from "./local_copy";
import { announce, cellName, find } from "./page";
import { renderSavedLine, type SavedLine, savedLine } from "./saved_line";
import type { Saving } from "./saving";

const KEYBOARD_HINT = "Tab indents. To leave the editor: Escape, then Tab.";

export class Drafting {
  readonly autosave: Autosave;
  readonly #starters: Readonly<Record<string, string>>;
  readonly #editors = new Map<string, CellEditor>();
  #localCopy = true;
  #spoken = "";

  constructor(
    private readonly root: HTMLElement,
    config: WorkbenchConfig,
  ) {
    this.#starters = startersOf(config);
    const draft = wholeDraft(this.#starters, config.draft);
    const copy = new LocalCopy(config.storage_key, localStorage, navigator.locks);
    this.autosave = new Autosave(config.draft_url, this.#starters, draft, copy, {
      show: (saving, theirs) => this.#show(saving, theirs),
      replace: (answers) => this.#replace(answers),
      warnNoLocalCopy: () => {
        this.#localCopy = false;
      },
    });
  }

  async start(): Promise<void> {
    this.root.append(make("p", { id: "editor-hint", class: "unseen" }, KEYBOARD_HINT));
    for (const place of this.root.querySelectorAll<HTMLElement>("[data-cell]")) this.#mount(place);
    this.#watchPage();
    this.tick();
    if (await this.autosave.recover()) this.#sayRecovered();
  }

  /** "Saved 2 s ago" grows old by itself. */
  tick(): void {
    this.#renderSaved(savedLine(this.autosave.saving, new Date(), this.#localCopy));
  }

  jump(cell: string, line: number): void {
    const place = this.root.querySelector<HTMLElement>(`#cell-${CSS.escape(cell)}`);
    const editor = this.#editors.get(cell);
    if (editor) editor.focusLine(line);
    else place?.scrollIntoView({ block: "center" });
    if (!place) return;
    place.dataset.flash = "";
    setTimeout(() => delete place.dataset.flash, 1500);
  }

  showFirstConflict(): void {
    const panel = this.root.querySelector<HTMLElement>("[data-conflict]");
    panel?.scrollIntoView({ block: "center" });
    panel?.focus();
  }

  #mount(place: HTMLElement): void {
    const cell = place.dataset.cell ?? "";
    const name = cellName(place, cell);
    const editor = new CellEditor({
      parent: find(place, "[data-editor]"),
      source: this.autosave.saving.mine[cell] ?? "",
      label: `${name}, your answer`,
      describedBy: "editor-hint",
      onEdit: (source) => this.autosave.edit(cell, source),
    });
    this.#editors.set(cell, editor);
    place.append(make("p", { class: "bench-cell__hint", "aria-hidden": "true" }, KEYBOARD_HINT));
    const reset = find<HTMLButtonElement>(place, "[data-reset]");
    reset.hidden = false;
    reset.setAttribute("aria-label", `Reset ${name} to the starter code`);
    reset.title = "Back to the starter code; undo brings your answer back";
    reset.addEventListener("click", () => {
      editor.replace(this.#starters[cell] ?? "");
      editor.view.focus();
      announce(this.root, "Reset to the starter code. Undo brings your answer back.");
    });
  }

  #watchPage(): void {
    addEventListener("online", () => this.autosave.retry());
    addEventListener("pagehide", () => this.autosave.leave());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.autosave.flush();
    });
    addEventListener("beforeunload", (event) => {
      if (this.autosave.unsaved) event.preventDefault();
    });
    addEventListener("beforeprint", () => {
      for (const editor of this.#editors.values()) editor.writePaper();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void this.autosave.flush();
    });
  }

  #sayRecovered(): void {
    const message = notice(
      "info",
      "Your unsaved work is back",
      "This browser had kept answers that had not reached the server. They stand in their cells again.",
    );
    find(this.root, "[data-notices]").append(message);
  }

  #show(saving: Saving, theirs: Answers): void {
    this.#renderSaved(savedLine(saving, new Date(), this.#localCopy));
    const wanted = saving.phase.kind === "conflict" ? saving.phase.cells : [];
    for (const shown of this.root.querySelectorAll<HTMLElement>("[data-conflict]")) {
      if (!wanted.includes(shown.dataset.conflict ?? "")) shown.remove();
    }
    for (const cell of wanted) this.#showConflict(cell, theirs[cell] ?? "");
  }

  #showConflict(cell: string, theirs: string): void {
    if (this.root.querySelector(`[data-conflict="${CSS.escape(cell)}"]`)) return;
    const place = this.root.querySelector(`[data-cell="${CSS.escape(cell)}"]`);
    const editor = this.#editors.get(cell);
    if (!place || !editor) return;
    const panel = renderConflict({
      cell,
      name: cellName(place, cell),
      mine: editor.source,
      theirs,
      choose: (which) => {
        const latest = editor.source;
        editor.replace(theirs, true);
        // Both versions go through the editor, so undo reaches either of them.
        if (which === "mine") editor.replace(latest, true);
        this.autosave.resolve(cell, which === "mine" ? latest : theirs);
        editor.view.focus();
      },
    });
    place.before(panel);
  }

  #replace(answers: Answers): void {
    for (const [cell, source] of Object.entries(answers)) {
      this.#editors.get(cell)?.replace(source, true);
    }
  }

  #renderSaved(line: SavedLine): void {
    const place = find(this.root, "[data-saved]");
    const actions: { label: string; run: () => void }[] = [];
    if (line.state === "offline" || line.state === "refused") {
      actions.push({ label: "Try now", run: () => this.autosave.retry() });
    }
    if (line.state === "conflict") {
      actions.push({ label: "Show", run: () => this.showFirstConflict() });
    }
    const label = `${line.state}|${line.words}`;
    if (place.dataset.label !== label) {
      place.dataset.label = label;
      renderSavedLine(place, line, actions);
    }
    if (line.spoken === this.#spoken) return;
    this.#spoken = line.spoken;
    if (line.spoken) announce(this.root, line.spoken);
  }
}
