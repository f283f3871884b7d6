/** The rank × time drawing of a check; ui/components/timeline.html writes the same on the server.
 *
 * campus/ui/timeline.py decides what is drawn and where. Here it is only put down, and all of it as text and
 * attributes: nothing that code under grading has said can become markup.
 */

import { make, makeSvg } from "./dom";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface Drawing {
  readonly height: number;
  readonly axis: number;
  readonly lanes: readonly { readonly rank: number; readonly state: string }[];
  readonly bars: readonly {
    readonly kind: string;
    readonly x: number;
    readonly width: number;
    readonly y: number;
    readonly height: number;
  }[];
  readonly labels: readonly Place[];
  readonly marks: readonly Place[];
  readonly ticks: readonly { readonly x: number; readonly text: string; readonly anchor: string }[];
  readonly legend: readonly (readonly [kind: string, meaning: string])[];
  readonly caption: string;
  readonly description: string;
  readonly errors: readonly (readonly [who: string, text: string])[];
  readonly tables: readonly {
    readonly rank: number;
    readonly totals: string;
    readonly rows: readonly (readonly string[])[];
    readonly left_out: number;
  }[];
}

export function renderTimeline(drawing: Drawing): HTMLElement {
  return make(
    "figure",
    { class: "timeline" },
    make("figcaption", { class: "quiet small" }, `Rank × time: ${drawing.caption}.`),
    make("div", { class: "timeline__box" }, renderRanks(drawing), renderScroller(drawing)),
    renderLegend(drawing),
    drawing.errors.length > 0 &&
      make(
        "ul",
        { class: "timeline__errors small" },
        ...drawing.errors.map(([who, text]) => make("li", {}, make("strong", {}, who), ` ${text}`)),
      ),
    make(
      "details",
      { class: "result__more" },
      make("summary", {}, "Rank × time as a table"),
      make(
        "div",
        {
          class: "timeline__table",
          role: "region",
          "aria-label": "Rank × time as a table",
          tabindex: "0",
        },
        renderTable(drawing),
      ),
    ),
  );
}

function renderRanks(drawing: Drawing): HTMLElement {
  return make(
    "ol",
    { class: "timeline__ranks", role: "list", "aria-hidden": "true" },
    ...drawing.lanes.map(({ rank, state }) =>
      make("li", {}, `rank ${rank}`, state !== "" && make("span", { "data-state": state }, state)),
    ),
  );
}

function renderScroller(drawing: Drawing): HTMLElement {
  const { axis } = drawing;
  const svg = makeSvg(
    "svg",
    {
      class: "timeline__drawing",
      role: "img",
      "aria-label": drawing.description,
      height: drawing.height,
    },
    ...drawing.ticks.flatMap(({ x, text, anchor }) => [
      makeSvg("line", { class: "timeline__grid", x1: `${x}%`, x2: `${x}%`, y1: 0, y2: axis }),
      makeSvg(
        "text",
        { class: "timeline__tick", x: `${x}%`, y: axis + 16, "text-anchor": anchor },
        text,
      ),
    ]),
    ...drawing.bars.map(({ kind, x, width, y, height }) =>
      makeSvg("rect", {
        "data-kind": kind,
        fill: `url(#weave-${kind})`,
        x: `${x}%`,
        y,
        width: `${width}%`,
        height,
      }),
    ),
    ...drawing.marks.map(({ x, y }) =>
      makeSvg(
        "svg",
        { class: "timeline__mark", x: `${x}%`, y, width: 1, height: 1 },
        makeSvg("path", { d: "M-4 -2h8l-4 6z" }),
      ),
    ),
    ...drawing.labels.map(({ x, y, text }) =>
      makeSvg("text", { class: "timeline__label", x: `${x}%`, y, "text-anchor": "middle" }, text),
    ),
  );
  return make(
    "div",
    { class: "timeline__scroll", role: "region", "aria-label": "Rank × time", tabindex: "0" },
    svg,
  );
}

function renderLegend(drawing: Drawing): HTMLElement {
  return make(
    "ul",
    { class: "timeline__legend small", role: "list", "aria-hidden": "true" },
    ...drawing.legend.map(([kind, meaning]) =>
      make("li", {}, makeSvg("svg", { width: 24, height: 12 }, renderSwatch(kind)), ` ${meaning}`),
    ),
  );
}

function renderSwatch(kind: string): SVGElement {
  if (kind === "mark") return makeSvg("path", { class: "timeline__mark", d: "M8 4h8l-4 6z" });
  const [y, height] = kind === "thin" ? [4, 4] : [0, 12];
  return makeSvg("rect", {
    "data-kind": kind,
    fill: `url(#weave-${kind})`,
    y,
    width: 24,
    height,
  });
}

const COLUMNS = ["What", "With", "From", "To", "Stood still", "Bytes"];
const number = (column: number): true | undefined => (column > 1 ? true : undefined);

function renderTable(drawing: Drawing): HTMLTableElement {
  const headings = COLUMNS.map((heading, column) =>
    make("th", { scope: "col", "data-number": number(column) }, heading),
  );
  const bodies = drawing.tables.map((table) =>
    make(
      "tbody",
      {},
      make(
        "tr",
        {},
        make(
          "th",
          { colspan: "6", scope: "rowgroup" },
          `rank ${table.rank} `,
          make("span", { class: "quiet" }, table.totals),
        ),
      ),
      ...table.rows.map((row) =>
        make(
          "tr",
          {},
          ...row.map((word, column) => make("td", { "data-number": number(column) }, word)),
        ),
      ),
      table.left_out > 0 &&
        make("tr", {}, make("td", { colspan: "6", class: "quiet" }, `and ${table.left_out} more`)),
    ),
  );
  return make("table", {}, make("thead", {}, make("tr", {}, ...headings)), ...bodies);
}
