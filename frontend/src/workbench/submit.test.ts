import { beforeEach, expect, test, vi } from "vitest";
import type { Answer } from "./requests";
import { IdempotencyKeys, submitAnswers } from "./submit";

const now = (): Promise<void> => Promise.resolve();
const LINKS = { submission: "s1", number: 1 };

beforeEach(() => sessionStorage.clear());

function sender(...answers: Answer[]): { send: never; keys: () => string[] } {
  const sent: string[] = [];
  const send = vi.fn(async (_method: string, _url: string, body: { idempotency_key: string }) => {
    sent.push(body.idempotency_key);
    return answers.shift() ?? { kind: "unreachable" };
  });
  return { send: send as never, keys: () => sent };
}

test("a lost answer is asked for again under the same key", async () => {
  const keys = new IdempotencyKeys("k", sessionStorage);
  const server = sender({ kind: "unreachable" }, { kind: "ok", body: LINKS });
  const outcome = await submitAnswers("/submit", { one: "a" }, 3, keys, server.send, now);
  expect(outcome).toEqual({ kind: "submitted", links: LINKS });
  expect(new Set(server.keys()).size).toBe(1);
  expect(server.keys()).toHaveLength(2);
});

test("after a reload the same answers keep their key, other answers get another", () => {
  const before = new IdempotencyKeys("k", sessionStorage).keyFor({ one: "a", two: "b" });
  const after = new IdempotencyKeys("k", sessionStorage);
  expect(after.keyFor({ two: "b", one: "a" })).toBe(before);
  expect(after.keyFor({ one: "changed", two: "b" })).not.toBe(before);
});

test("the same answers can be handed in again once the first time was heard of", async () => {
  const keys = new IdempotencyKeys("k", sessionStorage);
  const server = sender({ kind: "ok", body: LINKS }, { kind: "ok", body: LINKS });
  await submitAnswers("/submit", { one: "a" }, 1, keys, server.send, now);
  await submitAnswers("/submit", { one: "a" }, 1, keys, server.send, now);
  expect(new Set(server.keys()).size).toBe(2);
});

test("a key is what the server takes", () => {
  const key = new IdempotencyKeys("k", sessionStorage).keyFor({});
  expect(key).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
});

test("a refusal is not repeated", async () => {
  const server = sender({ kind: "refused", message: "It is closed." });
  const keys = new IdempotencyKeys("k", sessionStorage);
  const outcome = await submitAnswers("/submit", {}, 1, keys, server.send, now);
  expect(outcome).toEqual({ kind: "refused", message: "It is closed." });
  expect(server.keys()).toHaveLength(1);
});

test("a server that stays away is said to be away", async () => {
  const server = sender();
  const keys = new IdempotencyKeys("k", sessionStorage);
  const outcome = await submitAnswers("/submit", {}, 1, keys, server.send, now);
  expect(outcome.kind).toBe("unreachable");
  expect(server.keys()).toHaveLength(3);
});
