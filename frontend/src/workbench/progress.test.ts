import { expect, test } from "vitest";
import {
  type AttemptState,
  type CheckResult,
  etaWords,
  fromStatus,
  type GradingEvent,
  hear,
  NOTHING_YET,
  ordinal,
  type Progress,
  points,
} from "./progress";

const state = (changes: Partial<AttemptState>): GradingEvent => ({
  kind: "state",
  data: {
    attempt: "a1",
    state: "running",
    position: null,
    eta_seconds: null,
    wall: "bubblewrap",
    unsafe: false,
    ...changes,
  },
});
const result = (check: string, verdict: CheckResult["verdict"] = "passed"): GradingEvent => ({
  kind: "result",
  data: { check, verdict } as CheckResult,
});
const all = (...events: GradingEvent[]): Progress => events.reduce(hear, NOTHING_YET);

test("verdicts gather until the score and the end", () => {
  const progress = all(
    state({ state: "queued", position: 3 }),
    state({}),
    result("one"),
    result("two", "failed"),
    state({ state: "done" }),
    { kind: "score", data: { score: "13.5", max_score: "65", verdict_counts: {} } },
    { kind: "end" },
  );
  expect([...progress.results.keys()]).toEqual(["one", "two"]);
  expect(progress.score?.score).toBe("13.5");
  expect(progress.ended).toBe(true);
});

test("a result that is heard again replaces itself", () => {
  const progress = all(state({}), result("one", "failed"), result("one", "passed"));
  expect(progress.results.size).toBe(1);
  expect(progress.results.get("one")?.verdict).toBe("passed");
});

test("when a worker is lost its verdicts are taken back", () => {
  const progress = all(state({}), result("one"), state({ state: "queued" }));
  expect(progress.results.size).toBe(0);
});

test("a new attempt starts from nothing", () => {
  const progress = all(state({}), result("one"), state({ attempt: "a2" }));
  expect(progress.results.size).toBe(0);
  expect(progress.attempt?.attempt).toBe("a2");
});

test("polling gives the same picture as listening", () => {
  const listened = all(state({ state: "done" }), result("one"), { kind: "end" });
  const polled = fromStatus({
    state: listened.attempt as AttemptState,
    results: [...listened.results.values()],
    score: null,
    ended: true,
  });
  expect(polled).toEqual(listened);
});

test.each([
  [[0.2, 0.6], "less than a second"],
  [[4.2, 9.7], "about 4 to 10 s"],
  [[30, 30], "about 30 s"],
  [[60, 200], "about 1 to 4 min"],
] as const)("an estimate of %s reads %s", (eta, words) => {
  expect(etaWords(eta)).toBe(words);
});

test("places in the queue are ordinals", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal)).toEqual(
    "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th".split(" "),
  );
});

test("points have no trailing zeros", () => {
  expect(["13.500", "4.000", "10", "0.125"].map(points)).toEqual(["13.5", "4", "10", "0.125"]);
});
