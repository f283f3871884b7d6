/** The panel beside the notebook: one submission on its way, its verdicts, its score. */

import { absoluteTime } from "../site/times";
import type { ExerciseConfig, SubmissionLinks } from "./config";
import { icon, make, notice } from "./dom";
import {
  type CheckResult,
  etaWords,
  NOTHING_YET,
  ordinal,
  type Progress,
  points,
} from "./progress";
import { badge, type Jump, renderResult, WORDS } from "./verdicts";

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

  follow(links: SubmissionLinks): void {
    this.#reset();
    this.#links = links;
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
      ...this.#stateElements(),
      make("p", { class: "quiet small number" }, `Submitted ${when}${late}.`),
      make(
        "p",
        { class: "row small" },
        make("a", { href: links.receipt_url, download: true }, "Receipt"),
        make("a", { href: links.detail_url }, "Its own page"),
        make("a", { href: this.options.historyUrl }, "All your submissions"),
      ),
    );
  }

  #stateElements(): HTMLElement[] {
    const { attempt, score, ended } = this.#progress;
    const elements: HTMLElement[] = [];
    if (!this.#connected && !ended) {
      elements.push(
        notice(
          "careful",
          "Connection lost",
          "Grading goes on without it. Trying to connect again.",
        ),
      );
    }
    switch (attempt?.state) {
      case undefined:
        elements.push(
          make("p", { class: "row" }, badge("queued"), "Stored. Asking for its place."),
        );
        break;
      case "queued":
        elements.push(...this.#queued());
        break;
      case "running":
        elements.push(...this.#running());
        break;
      case "cancelled":
        elements.push(
          notice("info", "This grading was cancelled", "The submission itself is stored and safe."),
        );
        break;
      case "done":
        elements.push(...(score ? this.#scored() : this.#broken()));
        break;
    }
    if (attempt?.unsafe) {
      elements.push(
        notice("careful", "Graded without a sandbox", "The worker was started without its walls."),
      );
    }
    return elements;
  }

  #queued(): HTMLElement[] {
    const attempt = this.#progress.attempt;
    const position = attempt?.position;
    const place = !position
      ? "Waiting for a worker"
      : position === 1
        ? "You are next"
        : `You are ${ordinal(position)} in the queue`;
    const eta = attempt?.eta_seconds ? `, ${etaWords(attempt.eta_seconds)} to go` : "";
    const elements: HTMLElement[] = [
      make("p", { class: "row number" }, badge("queued"), `${place}${eta}.`),
    ];
    if (this.#delayed) {
      elements.push(
        notice(
          "ours",
          "Grading is delayed on our side",
          "Your submission is stored, and the time at which you handed it in is what counts.",
          "You can close this page: the result will be here and in your history.",
        ),
      );
    }
    return elements;
  }

  #running(): HTMLElement[] {
    const total = this.#total();
    const done = this.#progress.results.size;
    return [
      make(
        "p",
        { class: "row number" },
        badgeRunning("Grading"),
        `${done} of ${total} checks are done.`,
      ),
      make(
        "progress",
        { class: "meter", value: String(done), max: String(total), "aria-label": "Checks done" },
        `${done} of ${total}`,
      ),
    ];
  }

  #scored(): HTMLElement[] {
    const score = this.#progress.score;
    if (!score) return [];
    const counts = Object.entries(score.verdict_counts)
      .map(([verdict, count]) => `${count} ${word(verdict).toLowerCase()}`)
      .join(", ");
    return [
      make(
        "p",
        { class: "bench-panel__score", "data-score": score.score },
        points(score.score),
        make("small", {}, ` of ${points(score.max_score)} points`),
      ),
      make(
        "progress",
        {
          class: "meter",
          "data-tone": "good",
          value: score.score,
          max: score.max_score,
          "aria-label": "Points",
        },
        `${points(score.score)} of ${points(score.max_score)}`,
      ),
      make("p", { class: "small number" }, counts ? `Checks: ${counts}.` : ""),
    ];
  }

  #broken(): HTMLElement[] {
    const reference = this.#progress.attempt?.reference_number;
    if (!this.#progress.ended) return [make("p", { class: "row" }, badgeRunning("Adding up"))];
    return [
      notice(
        "ours",
        "We could not grade this submission",
        "This is our failure, not yours. Nothing was counted against you.",
        "Your submission is stored with its time. We have been told and will grade it again.",
        reference ? `Reference number: ${reference}.` : null,
      ),
    ];
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
    let group = this.#groups.querySelector<HTMLElement>(`[data-group="${exercise.id}"]`);
    if (!group) {
      group = make(
        "section",
        { class: "bench-panel__group", "data-group": exercise.id },
        make("h3", {}),
        make("div", { class: "bench-panel__results" }),
      );
      this.#groups.append(group);
    }
    const earned = results.reduce((sum, result) => sum + Number(result.points), 0);
    const of = exercise.checks.reduce((sum, check) => sum + Number(check.points), 0);
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
  }
}

function badgeRunning(word: string): HTMLElement {
  return make("span", { class: "badge", "data-verdict": "running" }, icon("running"), word);
}

function word(verdict: string): string {
  return (WORDS as Record<string, string>)[verdict] ?? verdict.replaceAll("_", " ");
}

function round(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
