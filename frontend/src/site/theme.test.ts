import { beforeEach, expect, test } from "vitest";
import { applyTheme, parseTheme, startTheme, themeCookie } from "./theme";

beforeEach(() => {
  delete document.documentElement.dataset.theme;
  document.body.innerHTML = `
    <fieldset data-theme-chooser hidden>
      <button type="button" data-theme-choice="system">System</button>
      <button type="button" data-theme-choice="dark">Dark</button>
    </fieldset>`;
});

test("an unknown word means the system's choice", () => {
  expect(parseTheme("dark")).toBe("dark");
  expect(parseTheme("mauve")).toBe("system");
  expect(parseTheme(undefined)).toBe("system");
});

test("going back to the system's choice removes the cookie", () => {
  expect(themeCookie("dark", true)).toMatch(/^gradus_theme=dark;.*max-age=31536000.*; secure$/);
  expect(themeCookie("system", false)).toMatch(/max-age=0/);
});

test("the chosen button is pressed and the page takes the colours", () => {
  applyTheme(document.documentElement, "dark");
  expect(document.documentElement.dataset.theme).toBe("dark");
  expect(document.querySelector("[data-theme-choice=dark]")?.getAttribute("aria-pressed")).toBe(
    "true",
  );
  applyTheme(document.documentElement, "system");
  expect(document.documentElement.dataset.theme).toBeUndefined();
});

test("a click chooses, and the chooser shows itself only where scripts run", () => {
  startTheme(document);
  expect(document.querySelector<HTMLElement>("[data-theme-chooser]")?.hidden).toBe(false);
  document.querySelector<HTMLElement>("[data-theme-choice=dark]")?.click();
  expect(document.documentElement.dataset.theme).toBe("dark");
});
