/** Menus are <details>; here they also close by Escape and by a click elsewhere. */

export function startMenus(doc: Document): void {
  doc.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = doc.querySelector<HTMLDetailsElement>("details.menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary")?.focus();
  });
  doc.addEventListener("click", (event) => {
    for (const menu of doc.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
    }
  });
}
