/**
 * A copy of unsaved answers in this browser, until the server has them.
 *
 * localStorage, because it is written before the next line runs: a tab that is killed in the middle
 * of a word has it. Every open page has a copy under its own name and holds a lock of that name for
 * as long as it lives, so a copy without a lock belongs to a page that died, and is taken over.
 */

import type { Answers, Draft } from "./answers";

export interface Copy {
  readonly base: Draft;
  readonly mine: Answers;
  /** Sent without hearing back. */
  readonly unheard: readonly Answers[];
  readonly at: number;
}

const PREFIX = "gradus:draft:";

export class LocalCopy {
  readonly #name: string;
  readonly #prefix: string;
  #warned = false;

  constructor(
    draftKey: string,
    private readonly storage: Storage,
    private readonly locks: LockManager | undefined,
    pageId = randomId(),
  ) {
    this.#prefix = `${PREFIX}${draftKey}:`;
    this.#name = this.#prefix + pageId;
    // Never released: the browser does that when the page is gone.
    void locks?.request(this.#name, () => new Promise<void>(() => undefined));
  }

  /** False when the browser has no room or no permission; said once. */
  write(copy: Omit<Copy, "at">): boolean {
    const { base, mine, unheard } = copy;
    try {
      this.storage.setItem(this.#name, JSON.stringify({ base, mine, unheard, at: Date.now() }));
      return true;
    } catch {
      const first = !this.#warned;
      this.#warned = true;
      return !first;
    }
  }

  clear(): void {
    try {
      this.storage.removeItem(this.#name);
    } catch {
      // Storage is switched off; then nothing was written either.
    }
  }

  /** Copies of pages that are gone, the oldest first. `forget` removes them, once they are safe. */
  async orphans(): Promise<{ copies: Copy[]; forget: () => void }> {
    const names = this.#others();
    const dead: string[] = [];
    for (const name of names) if (await this.#isDead(name)) dead.push(name);
    const copies = dead
      .map((name) => parse(this.storage.getItem(name)))
      .filter((copy) => copy !== null)
      .sort((first, second) => first.at - second.at);
    return { copies, forget: () => this.#remove(dead) };
  }

  #remove(names: readonly string[]): void {
    for (const name of names) this.storage.removeItem(name);
  }

  #others(): string[] {
    try {
      return Object.keys(this.storage).filter(
        (name) => name.startsWith(this.#prefix) && name !== this.#name,
      );
    } catch {
      return [];
    }
  }

  /** Without locks (a page that is not served securely) every other copy counts as left behind:
   * taking one over that is still alive only makes both pages merge. */
  async #isDead(name: string): Promise<boolean> {
    if (!this.locks) return true;
    return await this.locks.request(name, { ifAvailable: true }, (lock) => lock !== null);
  }
}

export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function parse(text: string | null): Copy | null {
  if (text === null) return null;
  try {
    const copy = JSON.parse(text) as Copy;
    const whole = typeof copy.at === "number" && typeof copy.base.revision === "number";
    return whole && typeof copy.mine === "object" && Array.isArray(copy.unheard) ? copy : null;
  } catch {
    return null;
  }
}
