/** Where a grading stands, in words: waiting, running, scored, delayed by us, broken by us. */

import { icon, make, notice } from "./dom";
import { etaWords, ordinal, type Progress, points } from "./progress";
import { badge, WORDS } from "./verdicts";

export interface GradingView {
  readonly progress: Progress;
  readonly connected: boolean;
  /** It has waited longer than it should. */
  readonly delayed: boolean;
  /** How many checks the lab has. */
  readonly total: number;
}

export function gradingStatus(view: GradingView): HTMLElement[] {
  const { attempt, score, ended } = view.progress;
  const elements: HTMLElement[] = [];
  if (!view.connected && !ended) {
    elements.push(
      notice("careful", "Connection lost", "Grading goes on without it. Trying to connect again."),
    );
  }
  switch (attempt?.state) {
    case undefined:
      elements.push(make("p", { class: "row" }, badge("queued"), "Stored. Asking for its place."));
      break;
    case "queued":
      elements.push(...queued(view));
      break;
    case "running":
      elements.push(...running(view));
      break;
    case "cancelled":
      elements.push(
        notice("info", "This grading was cancelled", "The submission itself is stored and safe."),
      );
      break;
    case "done":
      elements.push(...(score ? scored(view) : broken(view)));
      break;
  }
  if (attempt?.unsafe) {
    elements.push(
      notice("careful", "Graded without a sandbox", "The worker was started without its walls."),
    );
  }
  return elements;
}

function queued(view: GradingView): HTMLElement[] {
  const attempt = view.progress.attempt;
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
  if (view.delayed) {
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

function running(view: GradingView): HTMLElement[] {
  const total = view.total;
  const done = view.progress.results.size;
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

function scored(view: GradingView): HTMLElement[] {
  const score = view.progress.score;
  if (!score) return [];
  const counts = Object.entries(score.verdict_counts)
    .map(([verdict, count]) => `${count} ${word(verdict)}`)
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

function broken(view: GradingView): HTMLElement[] {
  const reference = view.progress.attempt?.reference_number;
  if (!view.progress.ended) return [make("p", { class: "row" }, badgeRunning("Adding up"))];
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

export function badgeRunning(word: string): HTMLElement {
  return make("span", { class: "badge", "data-verdict": "running" }, icon("running"), word);
}

/** As a count is said: "24 passed, 11 with an error". */
function word(verdict: string): string {
  if (verdict === "error") return "with an error";
  if (verdict === "internal_error") return "failed by us";
  const known = (WORDS as Record<string, string>)[verdict];
  return (known ?? verdict.replaceAll("_", " ")).toLowerCase();
}
