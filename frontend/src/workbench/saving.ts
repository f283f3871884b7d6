/**
 * How a draft gets to the server: a state machine without clock, network or page.
 *
 * `base` is the draft as the server last told us, `mine` is what stands in the editors. A save sends
 * `mine` on `base.revision`; the server refuses it when the draft has moved on, and then both are
 * merged by cell. Nothing leaves `mine` but by the student's own hand or where only the other version
 * had changed a cell.
 */

import { type Answers, type Draft, mergeAnswers, sameAnswers } from "./answers";

export const PAUSE_MS = 1200;
const LONGEST_RETRY_MS = 30_000;
const UNHEARD_KEPT = 8;

export type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "waiting" }
  | { readonly kind: "saving"; readonly sent: Answers }
  | { readonly kind: "offline"; readonly failures: number; readonly retryMs: number }
  | { readonly kind: "conflict"; readonly cells: readonly string[] }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "signed_out" };

export interface Saving {
  readonly base: Draft;
  readonly mine: Answers;
  readonly phase: Phase;
  /** Failures in a row; survives the attempts in between. */
  readonly failures: number;
  /** What was sent without hearing back: the server may have it, and then it is ours. */
  readonly unheard: readonly Answers[];
}

export type SavingEvent =
  | { readonly kind: "edited"; readonly cell: string; readonly source: string }
  | { readonly kind: "timer" }
  | { readonly kind: "flush" }
  | { readonly kind: "saved"; readonly revision: number; readonly savedAt: string | null }
  | { readonly kind: "moved_on"; readonly draft: Draft }
  | { readonly kind: "unreachable" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "signed_out" }
  | { readonly kind: "left" }
  | {
      readonly kind: "recovered";
      readonly base: Draft;
      readonly mine: Answers;
      readonly unheard: readonly Answers[];
    }
  | { readonly kind: "resolved"; readonly cell: string; readonly source: string };

export type Effect =
  | { readonly kind: "schedule"; readonly afterMs: number }
  | { readonly kind: "send"; readonly revision: number; readonly answers: Answers }
  | { readonly kind: "replace"; readonly answers: Answers };

export interface Step {
  readonly saving: Saving;
  readonly effects: readonly Effect[];
}

export function startSaving(draft: Draft): Saving {
  return { base: draft, mine: draft.answers, phase: { kind: "idle" }, failures: 0, unheard: [] };
}

export function isUnsaved(saving: Saving): boolean {
  return !sameAnswers(saving.mine, saving.base.answers);
}

export function retryDelay(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, 1000 * 2 ** Math.max(0, failures - 1));
}

export function step(saving: Saving, event: SavingEvent): Step {
  switch (event.kind) {
    case "edited":
      return edited(saving, event.cell, event.source);
    case "timer":
    case "flush":
      return send(saving);
    case "saved": {
      const sent = saving.phase.kind === "saving" ? saving.phase.sent : saving.mine;
      const base = { revision: event.revision, answers: sent, savedAt: event.savedAt };
      return settle({ ...saving, base, failures: 0, unheard: [] });
    }
    case "left":
      return only({ ...saving, unheard: remembered(saving) });
    case "moved_on":
      return movedOn(saving, event.draft);
    case "unreachable": {
      const failures = saving.failures + 1;
      const retryMs = retryDelay(failures);
      const phase = { kind: "offline", failures, retryMs } as const;
      return {
        saving: { ...saving, phase, failures },
        effects: [{ kind: "schedule", afterMs: retryMs }],
      };
    }
    case "refused":
      return only({ ...saving, phase: { kind: "refused", message: event.message } });
    case "signed_out":
      return only({ ...saving, phase: { kind: "signed_out" } });
    case "recovered": {
      // What another page of this browser had not saved: ours until now is what the server sent.
      const { base, mine, unheard } = event;
      const merged = movedOn({ ...saving, base, mine, unheard }, saving.base);
      const replace: Effect = { kind: "replace", answers: merged.saving.mine };
      return { saving: merged.saving, effects: [replace, ...merged.effects] };
    }
    case "resolved":
      return resolved(saving, event.cell, event.source);
  }
}

function only(saving: Saving): Step {
  return { saving, effects: [] };
}

function edited(saving: Saving, cell: string, source: string): Step {
  if (saving.mine[cell] === source) return only(saving);
  const next = { ...saving, mine: { ...saving.mine, [cell]: source } };
  switch (saving.phase.kind) {
    case "idle":
    case "waiting":
    case "refused":
      return {
        saving: { ...next, phase: { kind: "waiting" } },
        // Only the first edit sets the clock, or steady typing would never be saved.
        effects: saving.phase.kind === "waiting" ? [] : [{ kind: "schedule", afterMs: PAUSE_MS }],
      };
    case "saving":
    case "offline":
    case "conflict":
    case "signed_out":
      return only(next);
  }
}

function send(saving: Saving): Step {
  switch (saving.phase.kind) {
    case "saving":
    case "conflict":
      return only(saving);
    case "idle":
    case "waiting":
    case "offline":
    case "refused":
    case "signed_out": {
      if (!isUnsaved(saving)) return only({ ...saving, phase: { kind: "idle" } });
      const answers = saving.mine;
      return {
        saving: {
          ...saving,
          phase: { kind: "saving", sent: answers },
          unheard: remembered(saving),
        },
        effects: [{ kind: "send", revision: saving.base.revision, answers }],
      };
    }
  }
}

/** After the server and we agree on `base`: rest, or save what was typed meanwhile. */
function settle(saving: Saving): Step {
  if (!isUnsaved(saving)) return only({ ...saving, phase: { kind: "idle" } });
  return {
    saving: { ...saving, phase: { kind: "waiting" } },
    effects: [{ kind: "schedule", afterMs: PAUSE_MS }],
  };
}

function remembered(saving: Saving): readonly Answers[] {
  return [...saving.unheard, saving.mine].slice(-UNHEARD_KEPT);
}

function movedOn(saving: Saving, draft: Draft): Step {
  const base: Record<string, string> = { ...saving.base.answers };
  for (const [cell, source] of Object.entries(draft.answers)) {
    // Our own save, whose answer was lost on the way: what we have typed since starts from there.
    if (saving.unheard.some((sent) => sent[cell] === source)) base[cell] = source;
  }
  const merged = mergeAnswers(base, saving.mine, draft.answers);
  const next = { ...saving, base: draft, mine: merged.answers, failures: 0, unheard: [] };
  const taken = Object.fromEntries(merged.taken.map((cell) => [cell, draft.answers[cell] ?? ""]));
  const effects: Effect[] = merged.taken.length > 0 ? [{ kind: "replace", answers: taken }] : [];
  if (merged.conflicts.length > 0) {
    const phase = { kind: "conflict", cells: merged.conflicts } as const;
    return { saving: { ...next, phase }, effects };
  }
  const settled = send({ ...next, phase: { kind: "waiting" } });
  return { saving: settled.saving, effects: [...effects, ...settled.effects] };
}

function resolved(saving: Saving, cell: string, source: string): Step {
  if (saving.phase.kind !== "conflict") return edited(saving, cell, source);
  const mine = { ...saving.mine, [cell]: source };
  const cells = saving.phase.cells.filter((other) => other !== cell);
  if (cells.length > 0) return only({ ...saving, mine, phase: { kind: "conflict", cells } });
  return send({ ...saving, mine, phase: { kind: "waiting" } });
}
