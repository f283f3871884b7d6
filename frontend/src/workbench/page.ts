/** What the parts of the lab page share: finding their places, and speaking to screen readers. */

import { make } from "./dom";

const LINES_KEPT = 20;

export function find<Found extends HTMLElement = HTMLElement>(
  root: ParentNode,
  selector: string,
): Found {
  const found = root.querySelector<Found>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** For screen readers. A line each, so that a second message does not swallow the first. */
export function announce(root: ParentNode, words: string): void {
  const place = find(root, "[data-announce]");
  place.append(make("p", {}, words));
  while (place.childElementCount > LINES_KEPT) place.firstElementChild?.remove();
}

/** The name of a cell as its heading has it. */
export function cellName(root: ParentNode, cell: string): string {
  const heading = root.querySelector(`#name-${CSS.escape(cell)}`);
  return heading?.textContent?.replaceAll(/\s+/g, " ").trim() ?? cell;
}
