/** Handing in: the same answers under the same key, however often the network fails in between. */

import type { Answers } from "./answers";
import type { SubmissionLinks } from "./config";
import { randomId } from "./local_copy";
import { type Answer, sendJson } from "./requests";

const PAUSES_MS = [0, 1000, 3000];

export interface PendingKey {
  readonly key: string;
  readonly answers: string;
}

/** The key of a submission that may or may not have arrived: kept until we hear, and used again only
 * for exactly the same answers. */
export class IdempotencyKeys {
  constructor(
    private readonly name: string,
    private readonly storage: Storage,
  ) {}

  keyFor(answers: Answers): string {
    const text = JSON.stringify(Object.entries(answers).sort());
    const pending = this.#read();
    if (pending?.answers === text) return pending.key;
    const key = randomId();
    try {
      this.storage.setItem(this.name, JSON.stringify({ key, answers: text }));
    } catch {
      // Then a reload in the middle of a failing network could hand in twice; both are kept.
    }
    return key;
  }

  heard(): void {
    this.storage.removeItem(this.name);
  }

  #read(): PendingKey | null {
    try {
      return JSON.parse(this.storage.getItem(this.name) ?? "null") as PendingKey | null;
    } catch {
      return null;
    }
  }
}

export type Outcome =
  | { readonly kind: "submitted"; readonly links: SubmissionLinks }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "signed_out" }
  | { readonly kind: "unreachable" };

export async function submitAnswers(
  url: string,
  answers: Answers,
  revision: number,
  keys: IdempotencyKeys,
  send: typeof sendJson = sendJson,
  pause: (ms: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms)),
): Promise<Outcome> {
  const body = {
    answers,
    idempotency_key: keys.keyFor(answers),
    draft_revision: revision,
  };
  let answer: Answer = { kind: "unreachable" };
  for (const wait of PAUSES_MS) {
    await pause(wait);
    answer = await send("POST", url, body);
    if (answer.kind !== "unreachable") break;
  }
  switch (answer.kind) {
    case "ok":
      keys.heard();
      return { kind: "submitted", links: answer.body as SubmissionLinks };
    case "refused":
      keys.heard();
      return answer;
    case "conflict":
      return { kind: "refused", message: "The server refused this submission." };
    case "signed_out":
    case "unreachable":
      return answer;
  }
}
