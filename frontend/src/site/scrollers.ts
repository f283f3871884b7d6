/** What scrolls sideways by itself has to be reachable by keyboard, and only that. */

const SCROLLERS = ".prose pre, .prose table, div[data-maths], .result pre, .timeline__scroll";

export function reachScrollers(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>(SCROLLERS)) {
    const scrolls =
      element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    if (scrolls) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  }
}

export function startScrollers(doc: Document): void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const later = (): void => {
    clearTimeout(waiting);
    waiting = setTimeout(() => reachScrollers(doc), 200);
  };
  addEventListener("resize", later);
  // A folded part has no width before it opens; events of <details> do not bubble.
  doc.addEventListener("toggle", later, true);
  later();
}
