import { expect, test } from "vitest";
import { absoluteTime, relativeTime, renderTime, shortAge } from "./times";

const NOW = new Date("2025-02-20T12:00:00Z");
const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

test.each([
  [3 * 3600, "in 3 hours"],
  [3 * 3600 + 3599, "in 3 hours"],
  [-2 * 24 * 3600, "2 days ago"],
  [47 * 3600, "in 1 day"],
  [90, "in 1 minute"],
  [3, "just now"],
])("%i seconds from now reads %s", (seconds, words) => {
  expect(relativeTime(later(seconds), NOW)).toBe(words);
});

test("ages are short and never negative", () => {
  expect(shortAge(later(-2), NOW)).toBe("2 s ago");
  expect(shortAge(later(-200), NOW)).toBe("3 min ago");
  expect(shortAge(later(5), NOW)).toBe("0 s ago");
});

test("a due date always names its zone", () => {
  const text = absoluteTime(new Date("2025-02-22T15:59:00Z"), "Asia/Hong_Kong", {
    withTime: true,
    withZone: true,
  });
  expect(text).toContain("Sat");
  expect(text).toContain("23:59");
  expect(text).toMatch(/GMT\+8|HKT/);
});

test("a time turns into the reader's zone and keeps the course's on hover", () => {
  document.body.innerHTML = `<time data-moment data-due data-zone="Asia/Hong_Kong"
    datetime="2025-02-22T23:59:00+08:00"><span data-shown>Sat 22 Feb 2025, 23:59 HKT</span>
    <span data-relative></span></time>`;
  const element = document.querySelector("time");
  if (!element) throw new Error("no time element");
  renderTime(element, NOW, "Europe/Berlin");
  expect(element.querySelector("[data-shown]")?.textContent).toContain("16:59");
  expect(element.querySelector("[data-relative]")?.textContent).toBe("in 2 days");
  expect(element.title).toContain("23:59");
  expect(element.title).toContain("Asia/Hong Kong");
});

test("a broken date is left as the server wrote it", () => {
  document.body.innerHTML = `<time data-moment datetime="soon">soon</time>`;
  const element = document.querySelector("time");
  if (!element) throw new Error("no time element");
  renderTime(element, NOW);
  expect(element.textContent).toBe("soon");
});
