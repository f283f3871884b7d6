/** The panel beside the notebook: one submission on its way, its verdicts, its score. */

import { absoluteTime } from "../site/times";
import type { ExerciseConfig, SubmissionLinks } from "./config";
import { icon, make } from "./dom";
import { badgeRunning, gradingStatus } from "./grading_status";
import { type CheckResult, NOTHING_YET, type Progress } from "./progress";
import { type Jump, renderResult } from "./verdicts";

const DELAYED_AFTER_MS = 20_000;

export interface PanelOptions {
  readonly root: HTMLElement;
  readonly exercises: readonly ExerciseConfig[];
  readonly dueAt: Date | null;
  readonly historyUrl: string;
  readonly jump: Jump;
  readonly onClose: () => void;
}

export class Panel {
  readonly #title = make("h2", {});
  readonly #status = make("div", { class: "stack", "data-gap": "small" });
  readonly #groups = make("div", {});
  #links: SubmissionLinks | null = null;
  #untouched: readonly string[] = [];
  #progress: Progress = NOTHING_YET;
  #connected = true;
  #shown = new Map<string, CheckResult>();
  #delayTimer: ReturnType<typeof setTimeout> | undefined;
  #delayed = false;

  constructor(private readonly options: PanelOptions) {
    const close = make(
      "button",
      { class: "button", "data-kind": "quiet", "data-size": "small", type: "button" },
      icon("close"),
      "Close",
    );
    close.addEventListener("click", options.onClose);
    options.root.replaceChildren(
      make("div", { class: "bench-panel__head" }, this.#title, close),
      make("div", { class: "bench-panel__body" }, this.#status, this.#groups),
    );
  }

  /** The draft is being saved and sent: nothing is stored yet. */
  sending(): void {
    this.#reset();
    this.#title.textContent = "Submitting";
    this.#status.replaceChildren(
      make("p", { class: "row" }, badgeRunning("Sending"), "Saving your draft and handing it in."),
    );
  }

  /** Something went wrong before anything was stored. */
  failed(explanation: HTMLElement): void {
    this.#reset();
    this.#title.textContent = "Not submitted";
    this.#status.replaceChildren(explanation);
  }

  /** `untouched`: exercises that were handed in with starter code still in them. */
  follow(links: SubmissionLinks, untouched: readonly string[] = []): void {
    this.#reset();
    this.#links = links;
    this.#untouched = untouched;
    this.#title.textContent = `Submission ${links.number}`;
    this.#delayTimer = setTimeout(() => {
      this.#delayed = true;
      this.#renderStatus();
    }, DELAYED_AFTER_MS);
    this.#renderStatus();
  }

  update(progress: Progress, connected: boolean): void {
    this.#progress = progress;
    this.#connected = connected;
    if (progress.ended || progress.attempt?.state !== "queued") clearTimeout(this.#delayTimer);
    this.#renderStatus();
    this.#renderResults();
  }

  #reset(): void {
    clearTimeout(this.#delayTimer);
    this.#links = null;
    this.#progress = NOTHING_YET;
    this.#connected = true;
    this.#delayed = false;
    this.#shown.clear();
    this.#groups.replaceChildren();
  }

  #renderStatus(): void {
    if (!this.#links) return;
    const links = this.#links;
    const submitted = new Date(links.submitted_at);
    const when = absoluteTime(submitted, undefined, { withTime: true, withZone: false });
    const due = this.options.dueAt;
    const late = due === null ? "" : submitted > due ? ", late" : ", on time";
    this.#status.replaceChildren(
      ...gradingStatus({
        progress: this.#progress,
        connected: this.#connected,
        delayed: this.#delayed,
        total: this.#total(),
      }),
      make("p", { class: "quiet small number" }, `Submitted ${when}${late}.`),
      this.#untouched.length > 0
        ? make(
            "p",
            { class: "quiet small" },
            `Handed in with starter code still in it: ${this.#untouched.join(", ")}.`,
          )
        : "",
      make(
        "p",
        { class: "row small" },
        make("a", { href: links.receipt_url, download: true }, "Receipt"),
        make("a", { href: links.detail_url }, "Its own page"),
        make("a", { href: this.options.historyUrl }, "All your submissions"),
      ),
    );
  }

  #total(): number {
    return this.options.exercises.reduce((sum, exercise) => sum + exercise.checks.length, 0);
  }

  #renderResults(): void {
    const { results } = this.#progress;
    if (this.#shown.size > 0 && [...this.#shown.keys()].some((check) => !results.has(check))) {
      this.#shown.clear();
      this.#groups.replaceChildren();
    }
    for (const exercise of this.options.exercises) {
      const own = exercise.checks.flatMap((check) => results.get(check.name) ?? []);
      if (own.length > 0) this.#renderGroup(exercise, own);
    }
  }

  #renderGroup(exercise: ExerciseConfig, results: readonly CheckResult[]): void {
    const group = this.#groupOf(exercise);
    const passed = results.filter((result) => result.verdict === "passed").length;
    const done = results.length === exercise.checks.length;
    const earned = results.reduce((sum, result) => sum + Number(result.points), 0);
    const of = exercise.checks.reduce((sum, check) => sum + Number(check.points), 0);
    group.dataset.verdict = !done ? "running" : passed === results.length ? "passed" : "failed";
    group
      .querySelector("h3")
      ?.replaceChildren(
        make("span", {}, `${exercise.id} ${exercise.title}`),
        make("span", { class: "number" }, `${round(earned)} / ${round(of)}`),
      );
    const list = group.querySelector(".bench-panel__results");
    results.forEach((result, at) => {
      if (this.#shown.get(result.check) === result) return;
      this.#shown.set(result.check, result);
      const article = renderResult(result, this.options.jump);
      article.dataset.new = "";
      const before = list?.querySelector(`#result-${CSS.escape(result.check)}`);
      if (before) before.replaceWith(article);
      else list?.insertBefore(article, list.children[at] ?? null);
    });
    // What is right needs no room: the eye should land on what is not.
    if (group.dataset.verdict === "passed" && group.dataset.folded === undefined) {
      group.dataset.folded = "";
      group.open = false;
    }
  }

  #groupOf(exercise: ExerciseConfig): HTMLDetailsElement {
    const found = this.#groups.querySelector<HTMLDetailsElement>(
      `[data-group="${CSS.escape(exercise.id)}"]`,
    );
    if (found) return found;
    const group = make(
      "details",
      { class: "bench-panel__group", "data-group": exercise.id, open: true },
      make("summary", {}, make("h3", {})),
      make("div", { class: "bench-panel__results" }),
    );
    this.#groups.append(group);
    return group;
  }
}

function round(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
