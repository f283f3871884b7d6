import { expect, test } from "vitest";
import { type Drawing, renderTimeline } from "./timeline";

const EVIL = "<img src=x onerror=alert(1)>";
const drawing = (changes: Partial<Drawing> = {}): Drawing => ({
  height: 110,
  axis: 88,
  lanes: [
    { rank: 0, state: "still waits" },
    { rank: 1, state: "" },
  ],
  bars: [
    { kind: "compute", x: 0, width: 40.4, y: 6, height: 18 },
    { kind: "send", x: 40.4, width: 59.6, y: 6, height: 18 },
  ],
  labels: [{ x: 70.2, y: 19, text: "send → 1" }],
  marks: [{ x: 12, y: 2, text: "" }],
  ticks: [
    { x: 0, text: "0 ms", anchor: "start" },
    { x: 95, text: "5 ms", anchor: "end" },
  ],
  legend: [
    ["compute", "computes"],
    ["send", "stands in a send"],
    ["thin", "thin: under way while the rank went on"],
    ["mark", "a mark of the code"],
  ],
  caption: "2 ranks over 5 ms, in the last trial that was run",
  description: "2 ranks over 5 ms: rank 0 stood still 60% of it.",
  errors: [],
  tables: [
    {
      rank: 0,
      totals: "24 B",
      rows: [["send", "rank 1", "2 ms", "5 ms", "3 ms", ""]],
      left_out: 0,
    },
    { rank: 1, totals: "0 B", rows: [], left_out: 7 },
  ],
  ...changes,
});

test("every bar lies where the server put it, told apart by its weave", () => {
  const figure = renderTimeline(drawing());
  const bars = [...figure.querySelectorAll(".timeline__drawing rect")].map((bar) =>
    ["data-kind", "fill", "x", "width", "y"].map((name) => bar.getAttribute(name)),
  );
  expect(bars).toEqual([
    ["compute", "url(#weave-compute)", "0%", "40.4%", "6"],
    ["send", "url(#weave-send)", "40.4%", "59.6%", "6"],
  ]);
  const texts = [...figure.querySelectorAll("text")].map((text) => text.textContent);
  expect(texts).toEqual(["0 ms", "5 ms", "send → 1"]);
  expect(figure.querySelectorAll(".timeline__legend li svg")).toHaveLength(4);
});

test("lanes are named, and a rank that hangs is said to", () => {
  const lanes = [...renderTimeline(drawing()).querySelectorAll(".timeline__ranks li")];
  expect(lanes.map((lane) => lane.textContent)).toEqual(["rank 0still waits", "rank 1"]);
});

test("who cannot see it has words and a table", () => {
  const figure = renderTimeline(drawing());
  const svg = figure.querySelector(".timeline__drawing");
  expect(svg?.getAttribute("role")).toBe("img");
  expect(svg?.getAttribute("aria-label")).toContain("stood still 60% of it");
  const rows = [...figure.querySelectorAll("tbody tr")].map((row) => row.textContent);
  expect(rows).toEqual(["rank 0 24 B", "sendrank 12 ms5 ms3 ms", "rank 1 0 B", "and 7 more"]);
  expect(figure.querySelector("details")?.open).toBe(false);
});

test("what ranks said is text, never markup", () => {
  const figure = renderTimeline(
    drawing({
      caption: EVIL,
      description: EVIL,
      errors: [["rank 1", EVIL]],
      labels: [{ x: 1, y: 1, text: EVIL }],
      tables: [{ rank: 0, totals: EVIL, rows: [[`mark: ${EVIL}`]], left_out: 0 }],
    }),
  );
  expect(figure.querySelector("img")).toBeNull();
  expect(figure.querySelector(".timeline__errors")?.textContent).toBe(`rank 1 ${EVIL}`);
  expect(figure.querySelector("td")?.textContent).toBe(`mark: ${EVIL}`);
});
