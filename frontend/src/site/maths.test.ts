import { expect, test } from "vitest";
import { renderMaths } from "./maths";

function maths(kind: string, source: string): HTMLElement {
  const element = document.createElement("span");
  element.dataset.maths = kind;
  element.textContent = source;
  renderMaths(element);
  return element;
}

test("maths is rendered together with MathML for screen readers", () => {
  const element = maths("inline", "\\frac{dy}{dx}");
  expect(element.dataset.maths).toBe("done");
  expect(element.innerHTML).toContain("<math");
});

test("a formula that cannot be read keeps its source and says why", () => {
  const element = maths("block", "\\frac{1}{");
  expect(element.dataset.maths).toBe("failed");
  expect(element.textContent).toBe("\\frac{1}{");
  expect(element.title).toContain("KaTeX");
});

test("a formula cannot link anywhere", () => {
  const element = maths("inline", "\\href{javascript:alert(1)}{x}");
  expect(element.querySelector("a")).toBeNull();
});
