/** Answers of two versions of a draft, and how they come together. */

export type Answers = Readonly<Record<string, string>>;

/** A draft as the server has it, with every cell filled in. */
export interface Draft {
  readonly revision: number;
  readonly answers: Answers;
  readonly savedAt: string | null;
}

export function sameAnswers(first: Answers, second: Answers): boolean {
  const cells = Object.keys(first);
  return (
    cells.length === Object.keys(second).length &&
    cells.every((cell) => first[cell] === second[cell])
  );
}

/** Only what differs from the starter is stored, so that an untouched cell follows the lab. */
export function withoutStarters(answers: Answers, starters: Answers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(answers).filter(([cell, source]) => source !== starters[cell]),
  );
}

export interface Merged {
  /** Ours wherever both changed; theirs where only they did. */
  readonly answers: Answers;
  /** Cells that take over the other version. */
  readonly taken: readonly string[];
  /** Cells that both changed, in different ways: a person has to choose. */
  readonly conflicts: readonly string[];
}

/** Three-way by cell: `base` is what both versions started from. */
export function mergeAnswers(base: Answers, mine: Answers, theirs: Answers): Merged {
  const answers: Record<string, string> = { ...mine };
  const taken: string[] = [];
  const conflicts: string[] = [];
  for (const [cell, source] of Object.entries(theirs)) {
    const ours = mine[cell];
    if (ours === source) continue;
    if (ours === base[cell] || ours === undefined) {
      answers[cell] = source;
      taken.push(cell);
    } else if (source !== base[cell]) {
      conflicts.push(cell);
    }
  }
  return { answers, taken, conflicts };
}

/** For each line of `text`, whether `other` lacks it (longest common subsequence). */
export function differingLines(text: string, other: string): boolean[] {
  const lines = text.split("\n");
  const others = other.split("\n");
  if (lines.length * others.length > 1_000_000) return lines.map(() => false);
  const width = others.length + 1;
  const lengths = new Uint32Array((lines.length + 1) * width);
  for (let i = lines.length - 1; i >= 0; i--) {
    for (let j = others.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        lines[i] === others[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  const differs = lines.map(() => true);
  for (let i = 0, j = 0; i < lines.length && j < others.length; ) {
    if (lines[i] === others[j]) {
      differs[i] = false;
      i++;
      j++;
    } else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) {
      i++;
    } else {
      j++;
    }
  }
  return differs;
}
