/** The line that says whether the work is safe. */

import { shortAge } from "../site/times";
import { icon, make } from "./dom";
import type { Saving } from "./saving";

export interface SavedLine {
  readonly state: "idle" | "saved" | "saving" | "offline" | "conflict" | "refused";
  readonly icon: string | null;
  readonly words: string;
  /** Spoken to screen readers, once for each change of state. */
  readonly spoken: string;
}

export function savedLine(saving: Saving, now: Date, localCopy: boolean): SavedLine {
  const phase = saving.phase;
  const { savedAt } = saving.base;
  switch (phase.kind) {
    case "idle":
      return savedAt === null
        ? { state: "idle", icon: null, words: "Nothing written yet", spoken: "" }
        : {
            state: "saved",
            icon: "passed",
            words: `Saved ${shortAge(new Date(savedAt), now)}`,
            spoken: "Saved",
          };
    case "waiting":
      return { state: "saving", icon: "edit", words: "Not saved yet", spoken: "" };
    case "saving":
      return { state: "saving", icon: "running", words: "Saving", spoken: "" };
    case "offline": {
      const words = localCopy
        ? "No connection. Your work is kept in this browser and is sent when the server answers."
        : "No connection, and this browser keeps no copy. Leave this page open.";
      return { state: "offline", icon: "offline", words, spoken: words };
    }
    case "conflict": {
      const many = phase.cells.length;
      const words = `Changed elsewhere too: ${many === 1 ? "1 answer needs" : `${many} answers need`} your choice`;
      return { state: "conflict", icon: "error", words, spoken: words };
    }
    case "refused":
      return {
        state: "refused",
        icon: "error",
        words: `Not saved. ${phase.message}`,
        spoken: `Not saved. ${phase.message}`,
      };
    case "signed_out": {
      const words =
        "Not saved: you are signed out. Sign in again in another tab, then try again here.";
      return { state: "refused", icon: "error", words, spoken: words };
    }
  }
}

export function renderSavedLine(
  place: HTMLElement,
  line: SavedLine,
  actions: readonly { label: string; run: () => void }[],
): void {
  place.dataset.state = line.state;
  place.replaceChildren(
    ...(line.icon ? [icon(line.icon)] : []),
    make("span", {}, line.words),
    ...actions.map(({ label, run }) => {
      const button = make(
        "button",
        { class: "button", "data-size": "small", type: "button" },
        label,
      );
      button.addEventListener("click", run);
      return button;
    }),
  );
}
