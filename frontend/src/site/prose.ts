/** Finds maths and Python in what the server rendered and loads what they need, only then. */

import { reachScrollers } from "./scrollers";

export async function enhanceProse(root: ParentNode): Promise<void> {
  const formulas = root.querySelectorAll<HTMLElement>("[data-maths=inline], [data-maths=block]");
  const code = root.querySelectorAll<HTMLElement>(
    "code.language-python:not([data-highlighted]), code[data-python]:not([data-highlighted])",
  );
  const work: Promise<void>[] = [];
  if (formulas.length > 0) {
    work.push(
      import("./maths").then(({ renderMaths }) => {
        for (const formula of formulas) renderMaths(formula);
      }),
    );
  }
  if (code.length > 0) {
    work.push(
      import("./highlight").then(({ highlightPython }) => {
        for (const block of code) {
          highlightPython(block);
          block.dataset.highlighted = "";
        }
      }),
    );
  }
  await Promise.all(work);
  reachScrollers(root);
}
