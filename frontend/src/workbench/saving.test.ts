import { expect, test } from "vitest";
import type { Draft } from "./answers";
import {
  isUnsaved,
  PAUSE_MS,
  retryDelay,
  type Saving,
  type SavingEvent,
  type Step,
  startSaving,
  step,
} from "./saving";

const draft = (revision: number, answers: Record<string, string>): Draft => ({
  revision,
  answers: { one: "start", two: "start", ...answers },
  savedAt: null,
});

function run(saving: Saving, ...events: SavingEvent[]): Step {
  let result: Step = { saving, effects: [] };
  for (const event of events) result = step(result.saving, event);
  return result;
}

const typed = (cell: string, source: string): SavingEvent => ({ kind: "edited", cell, source });

test("an edit is saved after a pause, on the revision that it started from", () => {
  const first = run(startSaving(draft(3, {})), typed("one", "a"));
  expect(first.effects).toEqual([{ kind: "schedule", afterMs: PAUSE_MS }]);
  expect(PAUSE_MS).toBeLessThanOrEqual(2000);
  const sent = run(first.saving, { kind: "timer" });
  expect(sent.effects).toMatchObject([{ kind: "send", revision: 3 }]);
  const saved = run(sent.saving, { kind: "saved", revision: 4, savedAt: "now" });
  expect(saved.saving.phase.kind).toBe("idle");
  expect(saved.saving.base.revision).toBe(4);
  expect(isUnsaved(saved.saving)).toBe(false);
});

test("steady typing does not push the save away", () => {
  const { effects } = run(startSaving(draft(0, {})), typed("one", "a"), typed("one", "ab"));
  expect(effects).toEqual([]);
});

test("what is typed during a save is saved next", () => {
  const { saving, effects } = run(
    startSaving(draft(0, {})),
    typed("one", "a"),
    { kind: "timer" },
    typed("one", "ab"),
    { kind: "saved", revision: 1, savedAt: null },
  );
  expect(saving.phase.kind).toBe("waiting");
  expect(saving.base.answers.one).toBe("a");
  expect(effects).toEqual([{ kind: "schedule", afterMs: PAUSE_MS }]);
});

test("an unreachable server is tried again, ever more slowly, and nothing is lost", () => {
  let state = run(startSaving(draft(0, {})), typed("one", "a"), { kind: "timer" });
  for (const expected of [1000, 2000, 4000]) {
    state = run(state.saving, { kind: "unreachable" });
    expect(state.effects).toEqual([{ kind: "schedule", afterMs: expected }]);
    state = run(state.saving, typed("two", `typed after ${expected}`), { kind: "timer" });
    expect(state.effects).toMatchObject([{ kind: "send", revision: 0 }]);
  }
  expect(state.saving.mine).toEqual({ one: "a", two: "typed after 4000" });
  expect(retryDelay(40)).toBe(30_000);
});

test("a save whose answer was lost is recognised as our own", () => {
  const { saving } = run(
    startSaving(draft(0, {})),
    typed("one", "a"),
    { kind: "timer" },
    {
      kind: "moved_on",
      draft: draft(1, { one: "a" }),
    },
  );
  expect(saving.phase.kind).toBe("idle");
  expect(saving.base.revision).toBe(1);
});

test("typing on after a lost answer is no conflict with oneself", () => {
  const { saving, effects } = run(
    startSaving(draft(0, {})),
    typed("one", "a"),
    { kind: "timer" },
    typed("one", "ab"),
    { kind: "unreachable" },
    { kind: "timer" },
    { kind: "moved_on", draft: draft(1, { one: "a" }) },
  );
  expect(saving.mine.one).toBe("ab");
  expect(effects).toMatchObject([{ kind: "send", revision: 1, answers: { one: "ab" } }]);
});

test("undoing what was sent without an answer is no conflict either", () => {
  const { saving } = run(
    startSaving(draft(0, {})),
    typed("one", "a"),
    { kind: "left" },
    typed("one", "start"),
    typed("two", "b"),
    { kind: "timer" },
    { kind: "moved_on", draft: draft(1, { one: "a" }) },
  );
  expect(saving.mine).toEqual({ one: "start", two: "b" });
  expect(saving.phase.kind).toBe("saving");
});

test("changes to different cells come together by themselves", () => {
  const { saving, effects } = run(
    startSaving(draft(0, {})),
    typed("one", "mine"),
    { kind: "timer" },
    {
      kind: "moved_on",
      draft: draft(5, { two: "theirs" }),
    },
  );
  expect(saving.mine).toEqual({ one: "mine", two: "theirs" });
  expect(effects).toMatchObject([
    { kind: "replace", answers: { two: "theirs" } },
    { kind: "send", revision: 5, answers: { one: "mine", two: "theirs" } },
  ]);
});

test("changes to the same cell wait for a choice, and the choice is saved on the new revision", () => {
  const asked = run(
    startSaving(draft(0, {})),
    typed("one", "mine"),
    { kind: "timer" },
    {
      kind: "moved_on",
      draft: draft(5, { one: "theirs" }),
    },
  );
  expect(asked.saving.phase).toEqual({ kind: "conflict", cells: ["one"] });
  expect(asked.saving.mine.one).toBe("mine");
  expect(run(asked.saving, { kind: "timer" }).effects).toEqual([]);
  const mine = run(asked.saving, { kind: "resolved", cell: "one", source: "mine" });
  expect(mine.effects).toMatchObject([{ kind: "send", revision: 5, answers: { one: "mine" } }]);
  const theirs = run(asked.saving, { kind: "resolved", cell: "one", source: "theirs" });
  expect(theirs.saving.phase.kind).toBe("idle");
  expect(theirs.effects).toEqual([]);
});

test("two cells in conflict need two choices", () => {
  const asked = run(
    startSaving(draft(0, {})),
    typed("one", "mine"),
    typed("two", "mine"),
    { kind: "timer" },
    { kind: "moved_on", draft: draft(5, { one: "theirs", two: "theirs" }) },
    { kind: "resolved", cell: "one", source: "theirs" },
  );
  expect(asked.saving.phase).toEqual({ kind: "conflict", cells: ["two"] });
  expect(asked.effects).toEqual([]);
});

test("a refused draft says why and is tried again after the next edit", () => {
  const refused = run(
    startSaving(draft(0, {})),
    typed("one", "x".repeat(10)),
    { kind: "timer" },
    {
      kind: "refused",
      message: "too large",
    },
  );
  expect(refused.saving.phase).toEqual({ kind: "refused", message: "too large" });
  expect(run(refused.saving, typed("one", "x")).effects).toEqual([
    { kind: "schedule", afterMs: PAUSE_MS },
  ]);
});

test("answers of a page that died are put back and saved", () => {
  const { saving, effects } = run(startSaving(draft(2, { two: "newer" })), {
    kind: "recovered",
    base: draft(1, {}),
    unheard: [],
    mine: { one: "offline work", two: "start" },
  });
  expect(saving.mine).toEqual({ one: "offline work", two: "newer" });
  expect(effects.map((effect) => effect.kind)).toContain("replace");
  expect(effects.at(-1)).toMatchObject({ kind: "send", revision: 2 });
});

test("recovered answers that contradict the server's ask for a choice", () => {
  const { saving } = run(startSaving(draft(2, { one: "from the lab" })), {
    kind: "recovered",
    base: draft(1, {}),
    unheard: [],
    mine: { one: "from the train", two: "start" },
  });
  expect(saving.phase).toEqual({ kind: "conflict", cells: ["one"] });
  expect(saving.mine.one).toBe("from the train");
});
