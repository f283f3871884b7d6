import { expect, test } from "vitest";
import { type GradingView, gradingStatus } from "./grading_status";
import { type AttemptState, NOTHING_YET, type Progress } from "./progress";

const ATTEMPT: AttemptState = {
  attempt: "a",
  state: "queued",
  position: null,
  eta_seconds: null,
  wall: "",
  unsafe: false,
};

function words(
  attempt: Partial<AttemptState>,
  progress: Partial<Progress> = {},
  view: Partial<GradingView> = {},
): string {
  const elements = gradingStatus({
    progress: { ...NOTHING_YET, attempt: { ...ATTEMPT, ...attempt }, ...progress },
    connected: true,
    delayed: false,
    total: 14,
    ...view,
  });
  return elements.map((element) => element.textContent).join(" ");
}

test("a place in the queue comes with an honest range, or with none", () => {
  expect(words({ position: 3, eta_seconds: [4, 9] })).toContain(
    "You are 3rd in the queue, about 4 to 9 s to go.",
  );
  expect(words({ position: 1 })).toContain("You are next.");
  expect(words({})).toContain("Waiting for a worker.");
});

test("a long wait is our delay and says what is safe", () => {
  const text = words({ position: 1 }, {}, { delayed: true });
  expect(text).toContain("delayed on our side");
  expect(text).toContain("is what counts");
});

test("running counts its checks", () => {
  const results = new Map([["one", {} as never]]);
  expect(words({ state: "running" }, { results })).toContain("1 of 14 checks are done.");
});

test("the score has no trailing zeros", () => {
  const score = { score: "13.500", max_score: "65.000", verdict_counts: { passed: 9, error: 5 } };
  const text = words({ state: "done" }, { score, ended: true });
  expect(text).toContain("13.5 of 65 points");
  expect(text).toContain("9 passed, 5 with an error");
});

test("an attempt that we broke is said to be ours, with its reference", () => {
  const text = words({ state: "done", reference_number: "R-17" }, { ended: true });
  expect(text).toContain("our failure, not yours");
  expect(text).toContain("R-17");
});

test("grading without walls and a lost connection are both said", () => {
  const text = words({ state: "running", unsafe: true }, {}, { connected: false });
  expect(text).toContain("without a sandbox");
  expect(text).toContain("Connection lost");
});
