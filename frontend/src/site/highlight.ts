/** Python colours for code that cannot be edited: the same parser and the same tokens as in the
 * editor. Loaded only by pages that show code. */

import { highlightCode, tagHighlighter, tags } from "@lezer/highlight";
import { parser } from "@lezer/python";

export const tokens = tagHighlighter([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], class: "token-keyword" },
  { tag: [tags.string, tags.special(tags.string)], class: "token-string" },
  { tag: [tags.number, tags.bool, tags.null, tags.self], class: "token-number" },
  {
    tag: [
      tags.function(tags.definition(tags.variableName)),
      tags.definition(tags.className),
      tags.meta,
    ],
    class: "token-name",
  },
  { tag: tags.comment, class: "token-comment" },
]);

export function highlightPython(element: HTMLElement): void {
  const source = element.textContent ?? "";
  const pieces = document.createDocumentFragment();
  highlightCode(
    source,
    parser.parse(source),
    tokens,
    (text, classes) => {
      if (!classes) {
        pieces.append(text);
        return;
      }
      const span = document.createElement("span");
      span.className = classes;
      span.textContent = text;
      pieces.append(span);
    },
    () => pieces.append("\n"),
  );
  element.replaceChildren(pieces);
}
