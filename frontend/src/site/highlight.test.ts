import { expect, test } from "vitest";
import { highlightPython } from "./highlight";

test("colours are added and not a character is changed", () => {
  const source = "def square(x):\n    # a comment & <b>\n    return x ** 2\n\n";
  const element = document.createElement("code");
  element.textContent = source;
  highlightPython(element);
  expect(element.textContent).toBe(source);
  expect(element.querySelector(".token-keyword")?.textContent).toBe("def");
  expect(element.querySelector(".token-comment")?.textContent).toBe("# a comment & <b>");
  expect(element.querySelector("b")).toBeNull();
});
