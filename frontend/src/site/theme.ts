/** The choice of light or dark. A cookie keeps it, so that the server can write it into the first
 * byte of the page and nothing flashes. */

export type Theme = "system" | "light" | "dark";

const YEAR_SECONDS = 365 * 24 * 3600;

export function parseTheme(value: string | undefined): Theme {
  return value === "light" || value === "dark" ? value : "system";
}

export function themeCookie(theme: Theme, secure: boolean): string {
  const lifetime = theme === "system" ? 0 : YEAR_SECONDS;
  const value = theme === "system" ? "" : theme;
  return `gradus_theme=${value}; path=/; max-age=${lifetime}; samesite=lax${secure ? "; secure" : ""}`;
}

export function applyTheme(root: HTMLElement, theme: Theme): void {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const button of root.querySelectorAll<HTMLButtonElement>("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}

export function startTheme(doc: Document): void {
  const root = doc.documentElement;
  applyTheme(root, parseTheme(root.dataset.theme));
  for (const chooser of doc.querySelectorAll<HTMLElement>("[data-theme-chooser]")) {
    chooser.hidden = false;
  }
  doc.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const button = target.closest<HTMLButtonElement>("[data-theme-choice]");
    if (!button) return;
    const theme = parseTheme(button.dataset.themeChoice);
    doc.cookie = themeCookie(theme, doc.location.protocol === "https:");
    applyTheme(root, theme);
  });
}
