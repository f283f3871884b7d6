/** Verdicts where the work is: in the outline and under each exercise; and where one is reading. */

import { icon, make } from "./dom";
import type { CheckResult, Verdict } from "./progress";
import { WORDS } from "./verdicts";

type Mark = Verdict | "queued" | "none";

export class Outline {
  constructor(
    private readonly root: HTMLElement,
    private readonly showResult: (check: string) => void,
  ) {}

  /** Every check waits for its verdict. */
  reset(mark: "queued" | "none"): void {
    for (const row of this.root.querySelectorAll<HTMLElement>("[data-check]")) {
      this.#mark(row.dataset.check ?? "", mark);
    }
  }

  show(results: ReadonlyMap<string, CheckResult>): void {
    for (const result of results.values()) this.#mark(result.check, result.verdict);
  }

  #mark(check: string, mark: Mark): void {
    const row = this.root.querySelector<HTMLElement>(`.checklist [data-check="${check}"]`);
    const square = this.root.querySelector<HTMLElement>(`.outline [data-check="${check}"]`);
    if (square && square.dataset.verdict !== mark) {
      const name = square.dataset.name ?? check;
      square.dataset.verdict = mark;
      square.title = `${name}: ${WORDS[mark]}`;
      square.replaceChildren(icon(mark), make("span", { class: "unseen" }, square.title));
    }
    if (!row || row.dataset.verdict === mark) return;
    row.dataset.verdict = mark;
    row
      .querySelector("[data-mark]")
      ?.replaceChildren(icon(mark), make("span", { class: "unseen" }, `${WORDS[mark]}:`));
    this.#link(row, check, mark !== "none" && mark !== "queued");
  }

  /** The check's sentence leads to its result, once there is one. */
  #link(row: HTMLElement, check: string, hasResult: boolean): void {
    const title = row.querySelector<HTMLElement>("[data-title]");
    if (!title) return;
    const before = title.querySelector("a");
    if (!hasResult) {
      before?.replaceWith(...before.childNodes);
      return;
    }
    if (before) return;
    const link = make("a", { href: `#result-${check}` }, ...title.childNodes);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.showResult(check);
    });
    title.replaceChildren(link);
  }

  /** Marks the exercise that is on the screen. */
  followReading(): void {
    const links = [...this.root.querySelectorAll<HTMLAnchorElement>("[data-outline]")];
    const watcher = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          const exercise = (entry.target as HTMLElement).dataset.exercise;
          for (const link of links) {
            if (link.dataset.outline === exercise) link.setAttribute("aria-current", "true");
            else link.removeAttribute("aria-current");
          }
        }
      },
      { rootMargin: "-20% 0px -60% 0px" },
    );
    for (const cell of this.root.querySelectorAll("[data-exercise]")) watcher.observe(cell);
  }
}
