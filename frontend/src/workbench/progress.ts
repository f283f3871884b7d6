/** One grading as it is heard about: events in, what to show out. No network, no page. */

import type { Drawing } from "./timeline";

export type Verdict =
  | "passed"
  | "failed"
  | "error"
  | "timed_out"
  | "out_of_memory"
  | "output_limit"
  | "rejected"
  | "not_reached"
  | "internal_error";

export interface TraceLine {
  readonly cell: string;
  readonly line: number;
  readonly source: string;
  readonly function: string;
}

/** CheckResult of grader/protocol.py, as far as it is shown. */
export interface CheckResult {
  readonly check: string;
  readonly exercise: string;
  readonly title: string;
  readonly verdict: Verdict;
  readonly points: string;
  readonly max_points: string;
  readonly hidden: boolean;
  readonly message: string;
  readonly hint: string;
  readonly difference: {
    readonly path: string;
    readonly got: string;
    readonly expected: string;
    readonly relative_error: number | null;
  } | null;
  readonly inputs: string;
  readonly exception: {
    readonly type: string;
    readonly text: string;
    readonly trace: readonly TraceLine[];
  } | null;
  readonly stdout: string;
  readonly trials_passed: number;
  readonly trials: number;
  /** The mistake that gives this very answer; its hint is the hint. */
  readonly mistake?: string;
  /** Of a check on several ranks, made of the record that the grader kept. */
  readonly drawing?: Drawing;
}

export interface AttemptState {
  readonly attempt: string;
  readonly state: "queued" | "running" | "done" | "cancelled";
  readonly position: number | null;
  readonly eta_seconds: readonly [number, number] | null;
  readonly wall: string;
  readonly unsafe: boolean;
  readonly outcome?: string;
  readonly reference_number?: string;
}

export interface Score {
  readonly score: string;
  readonly max_score: string;
  readonly verdict_counts: Readonly<Record<string, number>>;
}

export type GradingEvent =
  | { readonly kind: "state"; readonly data: AttemptState }
  | { readonly kind: "result"; readonly data: CheckResult }
  | { readonly kind: "score"; readonly data: Score }
  | { readonly kind: "end" };

export interface Progress {
  readonly attempt: AttemptState | null;
  readonly results: ReadonlyMap<string, CheckResult>;
  readonly score: Score | null;
  readonly ended: boolean;
}

export const NOTHING_YET: Progress = {
  attempt: null,
  results: new Map(),
  score: null,
  ended: false,
};

export function hear(progress: Progress, event: GradingEvent): Progress {
  switch (event.kind) {
    case "state": {
      const before = progress.attempt;
      const anew =
        before !== null &&
        (before.attempt !== event.data.attempt ||
          // A worker was lost: the next one starts from the first check.
          (before.state === "running" && event.data.state === "queued"));
      return anew ? { ...NOTHING_YET, attempt: event.data } : { ...progress, attempt: event.data };
    }
    case "result": {
      const results = new Map(progress.results);
      results.set(event.data.check, event.data);
      return { ...progress, results };
    }
    case "score":
      return { ...progress, score: event.data };
    case "end":
      return { ...progress, ended: true };
  }
}

/** The answer of the status address: the whole attempt at once, for those who poll. */
export interface Status {
  readonly state: AttemptState;
  readonly results: readonly CheckResult[];
  readonly score: Score | null;
  readonly ended: boolean;
}

export function fromStatus(status: Status): Progress {
  return {
    attempt: status.state,
    results: new Map(status.results.map((result) => [result.check, result])),
    score: status.score,
    ended: status.ended,
  };
}

/** "about 5 to 10 s", "about 2 min": a range as wide as what we really know. */
export function etaWords(eta: readonly [number, number]): string {
  const [low, high] = eta;
  if (high < 1) return "less than a second";
  if (high < 90) {
    const from = Math.max(1, Math.round(low));
    const to = Math.ceil(high);
    return from >= to ? `about ${to} s` : `about ${from} to ${to} s`;
  }
  const from = Math.max(1, Math.round(low / 60));
  const to = Math.ceil(high / 60);
  return from >= to ? `about ${to} min` : `about ${from} to ${to} min`;
}

export function ordinal(position: number): string {
  const teen = position % 100 >= 11 && position % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][position % 10] ?? "th");
  return `${position}${ending}`;
}

/** 13.500 → 13.5, 4 → 4 */
export function points(value: string): string {
  return value.includes(".") ? value.replace(/0+$/, "").replace(/\.$/, "") : value;
}
