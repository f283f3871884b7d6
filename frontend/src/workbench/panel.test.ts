import { beforeEach, expect, test } from "vitest";
import { Panel } from "./panel";
import { type CheckResult, NOTHING_YET, type Progress, type Verdict } from "./progress";

const LINKS = {
  submission: "s",
  number: 3,
  submitted_at: "2025-02-20T12:00:00Z",
  receipt_url: "/receipt/",
  events_url: "/events/",
  status_url: "/status/",
  detail_url: "/detail/",
};
const EXERCISES = [
  {
    id: "E1",
    title: "Dual numbers",
    checks: [
      { name: "one", title: "One.", points: "3" },
      { name: "two", title: "Two.", points: "2.5" },
    ],
  },
  { id: "E2", title: "Pullbacks", checks: [{ name: "three", title: "Three.", points: "4" }] },
];
let root: HTMLElement;
let panel: Panel;

beforeEach(() => {
  document.body.innerHTML = "<aside></aside>";
  root = document.querySelector("aside") as HTMLElement;
  panel = new Panel({
    root,
    exercises: EXERCISES,
    dueAt: new Date("2025-02-22T15:59:00Z"),
    historyUrl: "/history/",
    jump: () => undefined,
    onClose: () => undefined,
  });
  panel.follow(LINKS, ["E2"]);
});

const result = (check: string, verdict: Verdict, points: string): CheckResult => ({
  check,
  exercise: "",
  title: check,
  verdict,
  points,
  max_points: points,
  hidden: false,
  message: "",
  hint: "",
  difference: null,
  inputs: "",
  exception: null,
  stdout: "",
  trials_passed: 1,
  trials: 1,
});
const heard = (...results: CheckResult[]): Progress => ({
  ...NOTHING_YET,
  results: new Map(results.map((one) => [one.check, one])),
});
const group = (id: string): HTMLDetailsElement =>
  root.querySelector(`[data-group=${id}]`) as HTMLDetailsElement;

test("a stored submission has its receipt at once and says whether it was in time", () => {
  expect(root.textContent).toContain("Submission 3");
  expect(root.textContent).toContain("on time");
  expect(root.textContent).toContain("starter code still in it: E2");
  expect(root.querySelector("a[download]")?.getAttribute("href")).toBe("/receipt/");
});

test("verdicts stand in the order of the lab, whatever order they come in", () => {
  panel.update(heard(result("two", "failed", "0")), true);
  panel.update(heard(result("two", "failed", "0"), result("one", "passed", "3")), true);
  const shown = [...root.querySelectorAll("article")].map((article) => article.id);
  expect(shown).toEqual(["result-one", "result-two"]);
});

test("an exercise in which all passed folds itself once, one with a failure stays open", () => {
  const all = heard(
    result("one", "passed", "3"),
    result("two", "passed", "2.5"),
    result("three", "failed", "0"),
  );
  panel.update(all, true);
  expect(group("E1").open).toBe(false);
  expect(group("E1").textContent).toContain("5.5 / 5.5");
  expect(group("E2").open).toBe(true);
  group("E1").open = true;
  panel.update(all, true);
  expect(group("E1").open).toBe(true);
});

test("when a worker is lost its verdicts go away", () => {
  panel.update(heard(result("one", "passed", "3")), true);
  panel.update(NOTHING_YET, true);
  expect(root.querySelectorAll("article")).toHaveLength(0);
});

test("what is open stays open while further verdicts arrive", () => {
  const failed = { ...result("one", "failed", "0"), inputs: "x = 1" };
  panel.update(heard(failed), true);
  const details = root.querySelector<HTMLDetailsElement>("article details");
  if (details) details.open = true;
  panel.update(heard(failed, result("two", "passed", "2.5")), true);
  expect(root.querySelector<HTMLDetailsElement>("article details")?.open).toBe(true);
});
