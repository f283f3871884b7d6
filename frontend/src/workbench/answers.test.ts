import { expect, test } from "vitest";
import { differingLines, mergeAnswers, sameAnswers, withoutStarters } from "./answers";

test("a cell that both changed in the same way is no conflict", () => {
  const merged = mergeAnswers({ a: "0" }, { a: "1" }, { a: "1" });
  expect(merged).toEqual({ answers: { a: "1" }, taken: [], conflicts: [] });
});

test("the merge never loses a change", () => {
  const base = { a: "0", b: "0", c: "0", d: "0" };
  const mine = { a: "1", b: "0", c: "1", d: "0" };
  const theirs = { a: "0", b: "2", c: "2", d: "0" };
  const merged = mergeAnswers(base, mine, theirs);
  expect(merged.answers).toEqual({ a: "1", b: "2", c: "1", d: "0" });
  expect(merged.taken).toEqual(["b"]);
  expect(merged.conflicts).toEqual(["c"]);
});

test("an answer that equals the starter is not stored", () => {
  expect(withoutStarters({ a: "new", b: "starter" }, { a: "starter", b: "starter" })).toEqual({
    a: "new",
  });
});

test("answers with other cells are not the same", () => {
  expect(sameAnswers({ a: "1" }, { a: "1" })).toBe(true);
  expect(sameAnswers({ a: "1" }, { a: "1", b: "" })).toBe(false);
  expect(sameAnswers({ a: "1" }, { b: "1" })).toBe(false);
});

test("only the lines that the other version lacks are marked", () => {
  expect(differingLines("a\nb\nc", "a\nc")).toEqual([false, true, false]);
  expect(differingLines("a\nc", "a\nb\nc")).toEqual([false, false]);
  expect(differingLines("x", "y")).toEqual([true]);
});
