/** The lab page: editors, saving, handing in, and verdicts as they fall. */

import { enhanceProse } from "../site/prose";
import { relativeTime } from "../site/times";
import type { Answers } from "./answers";
import { Autosave } from "./autosave";
import { readConfig, type SubmissionLinks, startersOf, wholeDraft } from "./config";
import { renderConflict } from "./conflict";
import { make, notice } from "./dom";
import { CellEditor } from "./editor";
import { LocalCopy } from "./local_copy";
import { Outline } from "./outline";
import { Panel } from "./panel";
import { type Progress, points } from "./progress";
import { renderSavedLine, type SavedLine, savedLine } from "./saved_line";
import type { Saving } from "./saving";
import { GradingStream } from "./stream";
import { IdempotencyKeys, submitAnswers } from "./submit";
import { WORDS } from "./verdicts";

const KEYBOARD_HINT = "Tab indents. To leave the editor: Escape, then Tab.";

class Workbench {
  readonly #config = readConfig(document);
  readonly #starters = startersOf(this.#config);
  readonly #editors = new Map<string, CellEditor>();
  readonly #autosave: Autosave;
  readonly #outline: Outline;
  readonly #panel: Panel;
  readonly #panelRoot: HTMLElement;
  readonly #keys: IdempotencyKeys;
  #stream: GradingStream | undefined;
  #localCopy = true;
  #spoken = "";
  #heard = new Set<string>();
  #submitting = false;

  constructor(private readonly root: HTMLElement) {
    const draft = wholeDraft(this.#starters, this.#config.draft);
    const copy = new LocalCopy(this.#config.storage_key, localStorage, navigator.locks);
    this.#autosave = new Autosave(this.#config.draft_url, this.#starters, draft, copy, {
      show: (saving, theirs) => this.#showSaving(saving, theirs),
      replace: (answers) => this.#replace(answers),
      warnNoLocalCopy: () => {
        this.#localCopy = false;
      },
    });
    this.#keys = new IdempotencyKeys(`gradus:submit:${this.#config.storage_key}`, sessionStorage);
    this.#panelRoot = find(root, "[data-panel]");
    this.#outline = new Outline(root, (check) => this.#showResult(check));
    this.#panel = new Panel({
      root: this.#panelRoot,
      exercises: this.#config.exercises,
      dueAt: this.#config.due_at ? new Date(this.#config.due_at) : null,
      jump: (cell, line) => this.#jump(cell, line),
      onClose: () => this.#openPanel(false),
    });
  }

  async start(): Promise<void> {
    const hint = make("p", { id: "editor-hint", class: "unseen" }, KEYBOARD_HINT);
    this.root.append(hint);
    for (const place of this.root.querySelectorAll<HTMLElement>("[data-cell]")) this.#mount(place);
    // On a phone the outline would push the lab off the screen.
    if (matchMedia("(width < 62rem)").matches) {
      find<HTMLDetailsElement>(this.root, ".outline__fold").open = false;
    }
    this.#wireButtons();
    this.#wirePage();
    this.#outline.followReading();
    this.#tick();
    setInterval(() => this.#tick(), 1000);
    if (this.#config.latest) {
      this.#follow(this.#config.latest);
      this.#panelButton().hidden = false;
    }
    if (await this.#autosave.recover()) {
      this.#notify(
        notice(
          "info",
          "Your unsaved work is back",
          "This browser had kept answers that had not reached the server. They stand in their cells again.",
        ),
      );
    }
  }

  #mount(place: HTMLElement): void {
    const cell = place.dataset.cell ?? "";
    const name = place.querySelector(`#name-${CSS.escape(cell)}`)?.textContent?.trim() ?? cell;
    const editor = new CellEditor({
      parent: find(place, "[data-editor]"),
      source: this.#autosave.saving.mine[cell] ?? "",
      label: `${name}, your answer`,
      describedBy: "editor-hint",
      onEdit: (source) => this.#autosave.edit(cell, source),
    });
    this.#editors.set(cell, editor);
    place.append(make("p", { class: "bench-cell__hint", "aria-hidden": "true" }, KEYBOARD_HINT));
    const reset = find<HTMLButtonElement>(place, "[data-reset]");
    reset.hidden = false;
    reset.setAttribute("aria-label", `Reset ${name} to the starter code`);
    reset.addEventListener("click", () => {
      editor.replace(this.#starters[cell] ?? "");
      editor.view.focus();
      this.#announce("Reset to the starter code. Undo brings your answer back.");
    });
  }

  #wireButtons(): void {
    this.#panelButton().addEventListener("click", () =>
      this.#openPanel(this.#panelRoot.hidden === true),
    );
    const submit = this.#submitButton();
    if (!submit) return;
    submit.disabled = false;
    submit.addEventListener("click", () => void this.#submit());
  }

  #wirePage(): void {
    addEventListener("online", () => this.#autosave.retry());
    addEventListener("pagehide", () => this.#autosave.leave());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.#autosave.flush();
    });
    addEventListener("beforeunload", (event) => {
      if (this.#autosave.unsaved) event.preventDefault();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        void this.#autosave.flush();
      }
    });
  }

  // --- saving ------------------------------------------------------------------------------

  #showSaving(saving: Saving, theirs: Answers): void {
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
    const mine = editor.source;
    const name = place.querySelector(`#name-${CSS.escape(cell)}`)?.textContent?.trim() ?? cell;
    const panel = renderConflict({
      cell,
      name,
      mine,
      theirs,
      choose: (which) => {
        const latest = editor.source;
        editor.replace(theirs, true);
        // Both versions go through the editor, so undo reaches either of them.
        if (which === "mine") editor.replace(latest, true);
        this.#autosave.resolve(cell, which === "mine" ? latest : theirs);
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
      actions.push({ label: "Try now", run: () => this.#autosave.retry() });
    }
    if (line.state === "conflict") {
      actions.push({ label: "Show", run: () => this.#showFirstConflict() });
    }
    const label = `${line.state}|${line.words}`;
    if (place.dataset.label !== label) {
      place.dataset.label = label;
      renderSavedLine(place, line, actions);
    }
    if (line.spoken !== this.#spoken) {
      this.#spoken = line.spoken;
      if (line.spoken) this.#announce(line.spoken);
    }
  }

  #showFirstConflict(): void {
    const panel = this.root.querySelector<HTMLElement>("[data-conflict]");
    panel?.scrollIntoView({ block: "center" });
    panel?.focus();
  }

  /** What grows old by itself: "saved 2 s ago", "on time". */
  #tick(): void {
    this.#renderSaved(savedLine(this.#autosave.saving, new Date(), this.#localCopy));
    const place = this.root.querySelector<HTMLElement>("[data-counts]");
    if (!place || !this.#config.due_at) return;
    const due = new Date(this.#config.due_at);
    const now = new Date();
    place.dataset.late = String(now > due);
    const words = now > due ? "Counts as late" : `On time, due ${relativeTime(due, now)}`;
    if (place.textContent !== words) place.textContent = words;
  }

  // --- handing in ---------------------------------------------------------------------------

  async #submit(): Promise<void> {
    if (this.#submitting) return;
    this.#submitting = true;
    this.#showSubmitting();
    this.#stream?.close();
    this.#panel.sending();
    this.#openPanel(true);
    try {
      await this.#handIn();
    } finally {
      this.#submitting = false;
      this.#showSubmitting();
    }
  }

  async #handIn(): Promise<void> {
    await this.#autosave.flush();
    const { phase, mine, base } = this.#autosave.saving;
    if (phase.kind === "conflict") {
      this.#panel.failed(
        notice(
          "careful",
          "First choose between two versions",
          "An answer was changed in two places. Nothing was submitted.",
          "Choose which version to keep, then submit again.",
        ),
      );
      this.#showFirstConflict();
      return;
    }
    const outcome = await submitAnswers(this.#config.submit_url, mine, base.revision, this.#keys);
    switch (outcome.kind) {
      case "submitted":
        this.#announce(`Submission ${outcome.links.number} is stored.`);
        this.#outline.reset("queued");
        this.#follow(outcome.links);
        return;
      case "refused":
        this.#panel.failed(
          notice("bad", "This was not accepted", outcome.message, "Your draft is safe."),
        );
        return;
      case "signed_out":
        this.#panel.failed(this.#signedOut());
        return;
      case "unreachable":
        this.#panel.failed(
          notice(
            "careful",
            "The server did not answer",
            "Your answers are kept in this browser. It is not certain that the submission arrived.",
            "Submit again when the connection is back: the same answers are never counted twice.",
          ),
        );
        return;
    }
  }

  #signedOut(): HTMLElement {
    const link = make("a", { href: this.#config.sign_in_url, target: "_blank" }, "Sign in");
    return notice(
      "careful",
      "You are signed out",
      "Nothing was submitted. Your answers are kept in this browser.",
      make("p", {}, link, " in another tab, then submit again."),
    );
  }

  #showSubmitting(): void {
    const submit = this.#submitButton();
    if (!submit) return;
    submit.disabled = this.#submitting;
    submit.textContent = this.#submitting ? "Submitting" : "Submit";
  }

  // --- results ------------------------------------------------------------------------------

  #follow(links: SubmissionLinks): void {
    this.#stream?.close();
    this.#heard.clear();
    this.#panel.follow(links);
    this.#panelButton().hidden = false;
    this.#stream = new GradingStream(links.events_url, links.status_url, (progress, connected) =>
      this.#showProgress(progress, connected),
    );
    this.#stream.open();
  }

  #showProgress(progress: Progress, connected: boolean): void {
    this.#panel.update(progress, connected);
    this.#outline.show(progress.results);
    void enhanceProse(this.#panelRoot);
    const waiting = progress.attempt?.state === "queued" || progress.attempt?.state === "running";
    if (waiting && this.#panelRoot.hidden && this.#heard.size === 0) this.#openPanel(true);
    for (const result of progress.results.values()) {
      if (this.#heard.has(result.check)) continue;
      this.#heard.add(result.check);
      if (waiting) this.#announce(`${WORDS[result.verdict]}: ${result.title || result.check}`);
    }
    const button = this.#panelButton();
    if (progress.score) {
      const { score, max_score } = progress.score;
      button.textContent = `Results: ${points(score)} / ${points(max_score)}`;
      if (progress.ended && this.#heard.size > 0 && !this.#panelRoot.hidden) {
        this.#announce(`Graded: ${points(score)} of ${points(max_score)} points.`);
      }
    } else {
      button.textContent = "Results";
    }
  }

  #showResult(check: string): void {
    this.#openPanel(true);
    const result = this.#panelRoot.querySelector<HTMLElement>(`#result-${CSS.escape(check)}`);
    if (!result) return;
    result.tabIndex = -1;
    result.focus({ preventScroll: true });
    result.scrollIntoView({ block: "nearest" });
  }

  #jump(cell: string, line: number): void {
    const place = this.root.querySelector<HTMLElement>(`#cell-${CSS.escape(cell)}`);
    const editor = this.#editors.get(cell);
    if (editor) editor.focusLine(line);
    else place?.scrollIntoView({ block: "center" });
    if (!place) return;
    place.dataset.flash = "";
    setTimeout(() => delete place.dataset.flash, 1500);
  }

  #openPanel(open: boolean): void {
    this.#panelRoot.hidden = !open;
    const button = this.#panelButton();
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      if (matchMedia("(width < 62rem)").matches) this.#panelRoot.scrollIntoView();
    } else {
      button.hidden = false;
      button.focus();
    }
  }

  #panelButton(): HTMLButtonElement {
    return find<HTMLButtonElement>(this.root, "[data-panel-toggle]");
  }

  #submitButton(): HTMLButtonElement | null {
    return this.root.querySelector<HTMLButtonElement>("[data-submit]");
  }

  #notify(message: HTMLElement): void {
    find(this.root, "[data-notices]").append(message);
  }

  /** For screen readers. A line each, so that a second message does not swallow the first. */
  #announce(words: string): void {
    const place = find(this.root, "[data-announce]");
    place.append(make("p", {}, words));
    while (place.childElementCount > 20) place.firstElementChild?.remove();
  }
}

function find<Found extends HTMLElement = HTMLElement>(root: ParentNode, selector: string): Found {
  const found = root.querySelector<Found>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

const root = document.querySelector<HTMLElement>("[data-workbench]");
if (root) void new Workbench(root).start();
