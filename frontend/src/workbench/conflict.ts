/** Two versions of one answer, side by side; a person chooses and nothing is thrown away. */

import { differingLines } from "./answers";
import { make } from "./dom";

export interface ConflictChoice {
  readonly cell: string;
  readonly name: string;
  readonly mine: string;
  readonly theirs: string;
  readonly choose: (which: "mine" | "theirs") => void;
}

function renderSide(
  title: string,
  text: string,
  other: string,
  action: string,
  choose: () => void,
): HTMLElement {
  const differs = differingLines(text, other);
  const lines = text
    .split("\n")
    .map((line, at) =>
      make("span", { "data-differs": differs[at] ? true : null }, line === "" ? "\u200b" : line),
    );
  const code = make("code", {});
  for (const [at, line] of lines.entries()) {
    code.append(line, at < lines.length - 1 ? "\n" : "");
  }
  const button = make("button", { class: "button", type: "button" }, action);
  button.addEventListener("click", choose);
  return make(
    "div",
    { class: "conflict__side", role: "group", "aria-label": title },
    make("p", {}, make("strong", {}, title)),
    make("pre", { tabindex: "0", "aria-label": `${title}, text` }, code),
    make("div", {}, button),
  );
}

export function renderConflict(choice: ConflictChoice): HTMLElement {
  const { mine, theirs } = choice;
  return make(
    "section",
    {
      class: "notice conflict",
      "data-tone": "careful",
      "data-conflict": choice.cell,
      tabindex: "-1",
      "aria-label": `Two versions of ${choice.name}`,
    },
    make("p", { class: "notice__title" }, `Two versions of ${choice.name}`),
    make(
      "p",
      {},
      "This answer was changed here and, in the meantime, in another tab or on another device. " +
        "Marked lines differ. Whichever you choose, undo in the editor brings the other one back.",
    ),
    make(
      "div",
      { class: "conflict__sides" },
      renderSide("Here, in this tab", mine, theirs, "Keep this version", () =>
        choice.choose("mine"),
      ),
      renderSide("Saved from elsewhere", theirs, mine, "Take this version", () =>
        choice.choose("theirs"),
      ),
    ),
  );
}
