/** What the server says about this page; written by campus/workbench/page.py. */

import type { Draft } from "./answers";

export interface CellConfig {
  readonly id: string;
  readonly exercise: string | null;
  readonly starter: string;
}

export interface CheckConfig {
  readonly name: string;
  readonly title: string;
  readonly points: string;
}

export interface ExerciseConfig {
  readonly id: string;
  readonly title: string;
  readonly checks: readonly CheckConfig[];
}

/** A submission and where to read about it: what the submit address answers. */
export interface SubmissionLinks {
  readonly submission: string;
  readonly number: number;
  readonly submitted_at: string;
  readonly receipt_url: string;
  readonly events_url: string;
  readonly status_url: string;
  readonly detail_url: string;
}

export interface WorkbenchConfig {
  readonly storage_key: string;
  readonly draft_url: string;
  readonly submit_url: string;
  readonly history_url: string;
  readonly sign_in_url: string;
  readonly draft: { revision: number; answers: Record<string, string>; saved_at: string | null };
  readonly cells: readonly CellConfig[];
  readonly exercises: readonly ExerciseConfig[];
  readonly due_at: string | null;
  readonly cut_off_at: string | null;

  readonly latest: SubmissionLinks | null;
}

export function readConfig(doc: Document): WorkbenchConfig {
  const text = doc.getElementById("workbench-config")?.textContent;
  if (!text) throw new Error("the page has no workbench-config");
  return JSON.parse(text) as WorkbenchConfig;
}

export function startersOf(config: WorkbenchConfig): Record<string, string> {
  return Object.fromEntries(config.cells.map((cell) => [cell.id, cell.starter]));
}

/** The server's draft with every cell in it: what is not stored still is the starter. */
export function wholeDraft(
  starters: Readonly<Record<string, string>>,
  draft: { revision: number; answers: Readonly<Record<string, string>>; saved_at: string | null },
): Draft {
  return {
    revision: draft.revision,
    answers: { ...starters, ...draft.answers },
    savedAt: draft.saved_at,
  };
}
