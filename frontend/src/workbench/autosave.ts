/** Runs the state machine of saving.ts against the clock, the network and this browser's storage. */

import { type Answers, type Draft, withoutStarters } from "./answers";
import type { LocalCopy } from "./local_copy";
import { type Answer, sendJson } from "./requests";
import { type Effect, isUnsaved, type Saving, type SavingEvent, startSaving, step } from "./saving";

/** Browsers refuse larger bodies of requests that outlive their page. */
const KEEPALIVE_BYTES = 60_000;

export interface AutosaveView {
  /** The state changed: show it. */
  show(saving: Saving, theirs: Answers): void;
  /** Cells whose text changes from outside. */
  replace(answers: Answers): void;
  /** This browser keeps no copy: only the server's counts. */
  warnNoLocalCopy(): void;
}

export class Autosave {
  #saving: Saving;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiters: Array<(saved: boolean) => void> = [];

  constructor(
    private readonly url: string,
    private readonly starters: Answers,
    draft: Draft,
    private readonly copy: LocalCopy,
    private readonly view: AutosaveView,
    private readonly send: typeof sendJson = sendJson,
  ) {
    this.#saving = startSaving(draft);
  }

  get saving(): Saving {
    return this.#saving;
  }

  get unsaved(): boolean {
    return isUnsaved(this.#saving);
  }

  /** Takes over what pages of this browser that are gone had not saved. */
  async recover(): Promise<boolean> {
    const { copies, forget } = await this.copy.orphans();
    for (const { base, mine, unheard } of copies) {
      const whole = { ...this.starters, ...mine };
      const known = Object.fromEntries(
        Object.entries(whole).filter(([cell]) => cell in this.starters),
      );
      this.#take({
        kind: "recovered",
        base: { ...base, answers: { ...this.starters, ...base.answers } },
        mine: known,
        unheard,
      });
    }
    forget();
    return copies.length > 0;
  }

  edit(cell: string, source: string): void {
    this.#take({ kind: "edited", cell, source });
  }

  resolve(cell: string, source: string): void {
    this.#take({ kind: "resolved", cell, source });
  }

  /** The connection is back, or somebody pressed "try now". */
  retry(): void {
    if (this.#saving.phase.kind !== "saving") this.#take({ kind: "flush" });
  }

  /** Resolves when the server has everything (true) or cannot have it now (false). */
  flush(): Promise<boolean> {
    this.#take({ kind: "flush" });
    if (this.#settled()) return Promise.resolve(!this.unsaved);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** The page is going away: one last request that may outlive it. The local copy stays until a
   * page hears that the server has the answers. */
  leave(): void {
    if (!this.unsaved || this.#saving.phase.kind === "conflict") return;
    const body = this.#body(this.#saving.base.revision, this.#saving.mine);
    if (JSON.stringify(body).length >= KEEPALIVE_BYTES) return;
    this.#take({ kind: "left" });
    void this.send("PUT", this.url, body, true);
  }

  #take(event: SavingEvent): void {
    const { saving, effects } = step(this.#saving, event);
    this.#saving = saving;
    if (this.unsaved) {
      if (!this.copy.write(saving)) this.view.warnNoLocalCopy();
    } else {
      this.copy.clear();
    }
    for (const effect of effects) this.#perform(effect);
    this.view.show(this.#saving, this.#saving.base.answers);
    if (this.#settled()) {
      const waiters = this.#waiters.splice(0);
      for (const tell of waiters) tell(!this.unsaved);
    }
  }

  #settled(): boolean {
    const kind = this.#saving.phase.kind;
    return kind !== "saving" && kind !== "waiting";
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "schedule":
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#take({ kind: "timer" }), effect.afterMs);
        return;
      case "replace":
        this.view.replace(effect.answers);
        return;
      case "send":
        clearTimeout(this.#timer);
        void this.#put(effect.revision, effect.answers);
        return;
    }
  }

  async #put(revision: number, answers: Answers): Promise<void> {
    this.#take(this.#heard(await this.send("PUT", this.url, this.#body(revision, answers))));
    // What was typed while a flush was on its way belongs to the flush.
    if (this.#saving.phase.kind === "waiting" && this.#waiters.length > 0) {
      this.#take({ kind: "flush" });
    }
  }

  #body(revision: number, answers: Answers): { revision: number; answers: Answers } {
    return { revision, answers: withoutStarters(answers, this.starters) };
  }

  #heard(answer: Answer): SavingEvent {
    switch (answer.kind) {
      case "ok": {
        const { revision, saved_at } = answer.body as { revision: number; saved_at: string | null };
        return { kind: "saved", revision, savedAt: saved_at };
      }
      case "conflict": {
        const body = answer.body as {
          revision: number;
          answers: Record<string, string>;
          saved_at: string | null;
        };
        const answers = { ...this.starters, ...body.answers };
        return {
          kind: "moved_on",
          draft: { revision: body.revision, answers, savedAt: body.saved_at },
        };
      }
      case "refused":
        return { kind: "refused", message: answer.message };
      case "signed_out":
        return { kind: "signed_out" };
      case "unreachable":
        return { kind: "unreachable" };
    }
  }
}
