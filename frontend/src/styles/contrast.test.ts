/// <reference types="node" />
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");

const schemes = { light: new Map<string, string>(), dark: new Map<string, string>() };
for (const [, name, light, dark] of css.matchAll(
  /--([\w-]+):\s*light-dark\((#\w{6}),\s*(#\w{6})\);/g,
)) {
  schemes.light.set(name ?? "", light ?? "");
  schemes.dark.set(name ?? "", dark ?? "");
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(first: string, second: string): number {
  const [dark = 0, light = 0] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const TEXT = 4.5;
const SHAPE = 3;
const papers = ["paper", "surface", "sunken"];
const verdicts = ["passed", "failed", "error", "waiting", "ours"];
const code = ["ink", "keyword", "string", "number", "name", "comment"].map(
  (name) => `code-${name}`,
);

const pairs: [string, string, number][] = [
  ...papers.flatMap((paper): [string, string, number][] => [
    ["ink", paper, TEXT],
    ["muted", paper, TEXT],
    ["accent", paper, TEXT],
    ["accent-strong", paper, TEXT],
    ["line-strong", paper, SHAPE],
    ...verdicts.map((verdict): [string, string, number] => [verdict, paper, TEXT]),
    ...code.map((token): [string, string, number] => [token, paper, TEXT]),
  ]),
  ...verdicts.flatMap((verdict): [string, string, number][] => [
    [verdict, `${verdict}-tint`, TEXT],
    ["ink", `${verdict}-tint`, TEXT],
    ["muted", `${verdict}-tint`, TEXT],
    ["accent", `${verdict}-tint`, TEXT],
  ]),
  ["on-accent", "accent", TEXT],
  ["on-accent", "accent-strong", TEXT],
  ["ink", "accent-tint", TEXT],
  ["muted", "accent-tint", TEXT],
  ["accent", "accent-tint", TEXT],
  ["ink", "selection", TEXT],
  ...code.map((token): [string, string, number] => [token, "selection", TEXT]),
];

test.each(["light", "dark"] as const)("every pair that carries meaning is AA in %s", (scheme) => {
  const colours = schemes[scheme];
  const short = pairs
    .map(([ink, paper, least]) => {
      const found = contrast(colours.get(ink) ?? "", colours.get(paper) ?? "");
      return { pair: `${ink} on ${paper}`, found, least };
    })
    .filter(({ found, least }) => !(found >= least))
    .map(({ pair, found, least }) => `${pair}: ${found.toFixed(2)}, needs ${least}`);
  expect(short).toEqual([]);
});

test("the computation agrees with the definition", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});
