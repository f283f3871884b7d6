/** Small makers of elements, so that nothing is ever written as HTML text. */

type Child = Node | string | null | undefined | false;
type Attributes = Readonly<Record<string, string | true | null | undefined>>;

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for drawings. */
export function makeSvg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** An icon of ui/icons.html. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export type Tone = "good" | "bad" | "careful" | "ours" | "info";
const TONE_ICONS: Record<Tone, string> = {
  good: "passed",
  bad: "failed",
  careful: "error",
  ours: "internal_error",
  info: "info",
};

/** What happened, whose fault it is, what is safe, what to do. */
export function notice(tone: Tone, title: string, ...sentences: Child[]): HTMLElement {
  return make(
    "div",
    { class: "notice", "data-tone": tone },
    make("p", { class: "notice__title" }, icon(TONE_ICONS[tone]), make("span", {}, title)),
    ...sentences.map((sentence) =>
      sentence instanceof HTMLElement ? sentence : sentence ? make("p", {}, sentence) : null,
    ),
  );
}
