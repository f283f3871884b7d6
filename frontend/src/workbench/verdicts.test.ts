import { expect, test, vi } from "vitest";
import type { CheckResult } from "./progress";
import { inlineCode, relativeErrorWords, renderResult } from "./verdicts";

const result = (changes: Partial<CheckResult>): CheckResult => ({
  check: "shared_node",
  exercise: "E3",
  title: "A value used twice adds both of its gradients.",
  verdict: "failed",
  points: "0",
  max_points: "2.500",
  hidden: false,
  message: "",
  hint: "",
  difference: null,
  inputs: "",
  exception: null,
  stdout: "",
  trials_passed: 0,
  trials: 1,
  ...changes,
});
const nowhere = (): void => undefined;

test("a passed check is one line: word, sentence, points", () => {
  const article = renderResult(result({ verdict: "passed", points: "2.500" }), nowhere);
  expect(article.dataset.verdict).toBe("passed");
  expect(article.querySelector(".badge")?.textContent).toBe("Passed");
  expect(article.querySelector(".badge svg")).not.toBeNull();
  expect(article.querySelector(".result__points")?.textContent).toBe("2.5 / 2.5");
  expect(article.querySelector(".result__body")).toBeNull();
});

test("a failed check shows the first element that differs", () => {
  const article = renderResult(
    result({
      difference: { path: "grad[0, 2]", got: "1.0", expected: "2.0", relative_error: 0.5 },
      inputs: "x = np.ones(3)",
    }),
    nowhere,
  );
  const rows = [...article.querySelectorAll(".difference tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent),
  );
  expect(rows).toEqual([
    ["First difference", "grad[0, 2]"],
    ["Your answer", "1.0"],
    ["Expected", "2.0"],
    ["Relative error", "50 %"],
  ]);
  expect(article.querySelector("details")?.open).toBe(false);
  expect(article.querySelector("details code")?.textContent).toBe("x = np.ones(3)");
});

test("without a relative error there is no row for it", () => {
  const difference = { path: "shape", got: "(3,)", expected: "(3, 1)", relative_error: null };
  const article = renderResult(result({ difference }), nowhere);
  expect(article.querySelectorAll(".difference tr")).toHaveLength(3);
});

test("a traceback leads to the line in the student's cell", () => {
  const jump = vi.fn();
  const trace = [{ cell: "dual", line: 14, source: "return 1 / 0", function: "__mul__" }];
  const article = renderResult(
    result({
      verdict: "error",
      exception: { type: "ZeroDivisionError", text: "division by zero", trace },
    }),
    jump,
  );
  expect(article.querySelector(".trace__type")?.textContent).toBe(
    "ZeroDivisionError: division by zero",
  );
  article.querySelector<HTMLElement>(".trace a")?.click();
  expect(jump).toHaveBeenCalledWith("dual", 14);
});

test("what student code says is text, never markup", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const article = renderResult(
    result({
      verdict: "error",
      message: evil,
      stdout: evil,
      exception: { type: evil, text: evil, trace: [] },
    }),
    nowhere,
  );
  expect(article.querySelector("img")).toBeNull();
  expect(article.querySelector("samp")?.textContent).toBe(evil);
});

test("what the details say is not said twice", () => {
  const difference = { path: "y[0]", got: "1.0", expected: "2.0", relative_error: 0.5 };
  const repeated = renderResult(
    result({ message: "y[0] is 1.0; 2.0 is expected", difference }),
    nowhere,
  );
  expect(repeated.querySelector(".result__body > p")).toBeNull();
  const telling = renderResult(result({ message: "The order is wrong.", difference }), nowhere);
  expect(telling.querySelector(".result__body > p")?.textContent).toBe("The order is wrong.");
  const exception = { type: "KeyError", text: "'x'", trace: [] };
  const raised = renderResult(
    result({ verdict: "error", message: "KeyError: 'x'", exception }),
    nowhere,
  );
  expect(raised.textContent?.match(/KeyError/g)).toHaveLength(1);
});

test("names in backticks are code, a lone backtick is a backtick", () => {
  const article = renderResult(result({ title: "Parents before children, `out` last." }), nowhere);
  expect(article.querySelector("h4 code")?.textContent).toBe("out");
  expect(article.querySelector("h4")?.textContent).toBe("Parents before children, out last.");
  expect(inlineCode("a ` b")).toEqual(["a ` b"]);
});

test("the hint of a known mistake is said to be one", () => {
  const hint = "Divide by `world`.";
  const named = renderResult(result({ hint, mistake: "sum_for_mean" }), nowhere);
  expect(named.querySelector(".result__hint")?.textContent).toBe(
    "This looks like a known mistake: Divide by world.",
  );
  expect(named.textContent).not.toContain("sum_for_mean");
  const plain = renderResult(result({ hint, mistake: "" }), nowhere);
  expect(plain.querySelector(".result__hint")?.textContent).toBe("Hint. Divide by world.");
});

test("what the ranks did is shown where something is wrong, and folded where nothing is", () => {
  const drawing = {
    height: 66,
    axis: 44,
    lanes: [{ rank: 0, state: "" }],
    bars: [],
    labels: [],
    marks: [],
    ticks: [],
    legend: [],
    caption: "1 rank over 2 ms",
    description: "",
    errors: [],
    tables: [],
  };
  const failed = renderResult(result({ message: "Deadlock: rank 0 waits.", drawing }), nowhere);
  const body = [...(failed.querySelector(".result__body")?.children ?? [])];
  expect(body.slice(0, 2).map((child) => child.tagName)).toEqual(["P", "FIGURE"]);
  const passed = renderResult(result({ verdict: "passed", drawing }), nowhere);
  expect(passed.querySelector("details:not([open]) > figure")).not.toBeNull();
});

test("our own failure is said to be ours", () => {
  const article = renderResult(result({ verdict: "internal_error" }), nowhere);
  expect(article.textContent).toContain("Our failure");
  expect(article.textContent).toContain("not yours");
});

test("a hidden check says that it is hidden", () => {
  const article = renderResult(result({ hidden: true, hint: "Think of shapes." }), nowhere);
  expect(article.textContent).toContain("hidden");
  expect(article.textContent).toContain("Think of shapes.");
});

test.each([
  [0.5, "50 %"],
  [0.0001234, "0.0123 %"],
  [3.2e-9, "3.2e-9"],
  [12345, "1.2e+4"],
  [Number.POSITIVE_INFINITY, "Infinity"],
])("a relative error of %f reads %s", (value, words) => {
  expect(relativeErrorWords(value)).toBe(words);
});
