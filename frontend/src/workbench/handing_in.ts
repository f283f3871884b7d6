/** The Submit button, the panel, and the verdicts as they fall. */

import { enhanceProse } from "../site/prose";
import { reachScrollers } from "../site/scrollers";
import { relativeTime } from "../site/times";
import type { Answers } from "./answers";
import type { SubmissionLinks, WorkbenchConfig } from "./config";
import { make, notice } from "./dom";
import type { Drafting } from "./drafting";
import { Outline } from "./outline";
import { announce, find } from "./page";
import { Panel } from "./panel";
import { type Progress, points } from "./progress";
import { GradingStream } from "./stream";
import { IdempotencyKeys, type Outcome, submitAnswers } from "./submit";
import { WORDS } from "./verdicts";

export class HandingIn {
  readonly #outline: Outline;
  readonly #panel: Panel;
  readonly #panelRoot: HTMLElement;
  readonly #toggle: HTMLButtonElement;
  readonly #submit: HTMLButtonElement | null;
  readonly #keys: IdempotencyKeys;
  readonly #heard = new Set<string>();
  #stream: GradingStream | undefined;
  #submitting = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly config: WorkbenchConfig,
    private readonly drafting: Drafting,
  ) {
    this.#keys = new IdempotencyKeys(`gradus:submit:${config.storage_key}`, sessionStorage);
    this.#panelRoot = find(root, "[data-panel]");
    this.#toggle = find<HTMLButtonElement>(root, "[data-panel-toggle]");
    this.#submit = root.querySelector<HTMLButtonElement>("[data-submit]");
    this.#outline = new Outline(root, (check) => this.#showResult(check));
    this.#panel = new Panel({
      root: this.#panelRoot,
      exercises: config.exercises,
      dueAt: config.due_at ? new Date(config.due_at) : null,
      historyUrl: config.history_url,
      jump: (cell, line) => drafting.jump(cell, line),
      onClose: () => this.#openPanel(false),
    });
  }

  start(): void {
    this.#toggle.addEventListener("click", () => this.#openPanel(this.#panelRoot.hidden === true));
    this.#submit?.addEventListener("click", () => void this.#handIn());
    this.#showSubmitting();
    this.#outline.followReading();
    this.tick();
    // A reload in the middle of grading goes on where it was.
    if (this.config.latest) this.#follow(this.config.latest);
  }

  /** Whether a submission would count as late, while the page stays open. */
  tick(): void {
    const place = this.root.querySelector<HTMLElement>("[data-counts]");
    if (!place || !this.config.due_at) return;
    const due = new Date(this.config.due_at);
    const now = new Date();
    const words = now > due ? "Counts as late" : `On time, due ${relativeTime(due, now)}`;
    place.dataset.late = String(now > due);
    if (place.textContent !== words) place.textContent = words;
  }

  async #handIn(): Promise<void> {
    if (this.#submitting) return;
    this.#submitting = true;
    this.#showSubmitting();
    this.#stream?.close();
    this.#panel.sending();
    this.#openPanel(true);
    try {
      await this.#send();
    } finally {
      this.#submitting = false;
      this.#showSubmitting();
    }
  }

  async #send(): Promise<void> {
    const { autosave } = this.drafting;
    await autosave.flush();
    const { phase, mine, base } = autosave.saving;
    if (phase.kind === "conflict") {
      this.#panel.failed(
        notice(
          "careful",
          "First choose between two versions",
          "An answer was changed in two places. Nothing was submitted.",
          "Choose which version to keep, then submit again.",
        ),
      );
      this.drafting.showFirstConflict();
      return;
    }
    this.#tell(await submitAnswers(this.config.submit_url, mine, base.revision, this.#keys), mine);
  }

  #tell(outcome: Outcome, answers: Answers): void {
    switch (outcome.kind) {
      case "submitted":
        announce(this.root, `Submission ${outcome.links.number} is stored.`);
        this.#outline.reset("queued");
        this.#follow(outcome.links, this.#untouched(answers));
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

  /** The exercises that were handed in with a cell as the lab gave it. */
  #untouched(answers: Answers): string[] {
    const untouched = this.config.cells.filter((cell) => answers[cell.id] === cell.starter);
    return [...new Set(untouched.map((cell) => cell.exercise ?? cell.id))];
  }

  #signedOut(): HTMLElement {
    const link = make("a", { href: this.config.sign_in_url, target: "_blank" }, "Sign in");
    return notice(
      "careful",
      "You are signed out",
      "Nothing was submitted. Your answers are kept in this browser.",
      make("p", {}, link, " in another tab, then submit again."),
    );
  }

  #showSubmitting(): void {
    if (!this.#submit) return;
    this.#submit.disabled = this.#submitting;
    this.#submit.textContent = this.#submitting ? "Submitting" : "Submit";
  }

  #follow(links: SubmissionLinks, untouched: readonly string[] = []): void {
    this.#stream?.close();
    this.#heard.clear();
    this.#panel.follow(links, untouched);
    this.#toggle.hidden = false;
    this.#toggle.textContent = "Results";
    this.#stream = new GradingStream(links.events_url, links.status_url, (progress, connected) =>
      this.#show(progress, connected),
    );
    this.#stream.open();
  }

  #show(progress: Progress, connected: boolean): void {
    const { attempt, score, ended } = progress;
    const waiting = attempt?.state === "queued" || attempt?.state === "running";
    if (waiting && progress.results.size === 0) this.#outline.reset("queued");
    if (waiting && this.#heard.size === 0) this.#openPanel(true);
    this.#panel.update(progress, connected);
    this.#outline.show(progress.results);
    void enhanceProse(this.#panelRoot);
    for (const result of progress.results.values()) {
      if (this.#heard.has(result.check)) continue;
      this.#heard.add(result.check);
      if (waiting) announce(this.root, `${WORDS[result.verdict]}: ${result.title || result.check}`);
    }
    if (!score) return;
    const words = `${points(score.score)} of ${points(score.max_score)} points`;
    this.#toggle.textContent = `Results: ${points(score.score)} / ${points(score.max_score)}`;
    if (ended && !this.#panelRoot.hidden) announce(this.root, `Graded: ${words}.`);
  }

  #showResult(check: string): void {
    this.#openPanel(true);
    const result = this.#panelRoot.querySelector<HTMLElement>(`#result-${CSS.escape(check)}`);
    if (!result) return;
    const group = result.closest("details");
    if (group) group.open = true;
    result.tabIndex = -1;
    result.focus({ preventScroll: true });
    result.scrollIntoView({ block: "nearest" });
  }

  #openPanel(open: boolean): void {
    if (this.#panelRoot.hidden === !open) return;
    this.#panelRoot.hidden = !open;
    this.#toggle.setAttribute("aria-expanded", String(open));
    if (open) reachScrollers(this.#panelRoot);
    if (!open) this.#toggle.focus();
    else if (matchMedia("(width < 62rem)").matches) this.#panelRoot.scrollIntoView();
  }
}
