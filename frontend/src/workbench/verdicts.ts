/** One check's result as elements; ui/components/check_result.html writes the same on the server. */

import { copyText } from "../site/copying";
import { icon, make } from "./dom";
import { type CheckResult, points, type TraceLine, type Verdict } from "./progress";
import { type Drawing, renderTimeline } from "./timeline";

export const WORDS: Record<Verdict | "queued" | "none", string> = {
  passed: "Passed",
  failed: "Failed",
  error: "Error",
  timed_out: "Out of time",
  out_of_memory: "Out of memory",
  output_limit: "Too much output",
  rejected: "Rejected",
  not_reached: "Not reached",
  internal_error: "Our failure",
  queued: "Waiting",
  none: "Not tried",
};

const SENTENCES: Record<Verdict, string> = {
  passed: "",
  failed: "The answer differs from the reference's.",
  error: "Your code raised an exception.",
  timed_out: "Your code was stopped when the time for this check was up.",
  out_of_memory: "Your code was stopped when the memory for this check was used up.",
  output_limit: "Your code printed or returned more than this check may.",
  rejected: "What came back was not an answer that this check accepts.",
  not_reached: "Not tried, because the notebook or an earlier check has to work first.",
  internal_error: "This is our failure, not yours. It does not count, and it is tried again.",
};

export function badge(verdict: Verdict | "queued" | "none"): HTMLElement {
  return make("span", { class: "badge", "data-verdict": verdict }, icon(verdict), WORDS[verdict]);
}

/** "0.5 %" or "3.2e-9": readable at both ends. */
export function relativeErrorWords(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 100) return `${Number((value * 100).toPrecision(3))} %`;
  return value.toPrecision(2);
}

export function renderDifference(
  difference: NonNullable<CheckResult["difference"]>,
): HTMLTableElement {
  const row = (name: string, value: Node | string, side?: string): HTMLElement =>
    make(
      "tr",
      { "data-side": side },
      make("th", { scope: "row" }, name),
      make("td", {}, typeof value === "string" ? make("code", {}, value) : value),
    );
  const error = difference.relative_error;
  return make(
    "table",
    { class: "difference" },
    make("caption", { class: "unseen" }, "The first element that differs"),
    make(
      "tbody",
      {},
      row("First difference", difference.path),
      row("Your answer", difference.got, "got"),
      row("Expected", difference.expected, "expected"),
      error !== null &&
        row("Relative error", make("span", { class: "number" }, relativeErrorWords(error))),
    ),
  );
}

export type Jump = (cell: string, line: number) => void;

function renderFrame(frame: TraceLine, jump: Jump): HTMLElement {
  const place = `${frame.cell}, line ${frame.line}`;
  const link = make("a", { href: `#cell-${frame.cell}` }, place);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    jump(frame.cell, frame.line);
  });
  const code = make("code", { "data-python": true }, frame.source.trimStart());
  return make(
    "li",
    {},
    link,
    frame.function !== "" && " in ",
    frame.function !== "" && make("code", {}, frame.function),
    frame.source !== "" && make("pre", {}, code),
  );
}

function renderException(
  exception: NonNullable<CheckResult["exception"]>,
  jump: Jump,
): HTMLElement {
  const text = exception.text ? `${exception.type}: ${exception.text}` : exception.type;
  const frames = exception.trace.map((frame) => renderFrame(frame, jump));
  return make(
    "div",
    { class: "trace" },
    make("p", {}, make("code", { class: "trace__type" }, text)),
    frames.length > 0 && make("ol", { class: "trace__frames", role: "list" }, ...frames),
  );
}

function renderInputs(result: CheckResult): HTMLElement {
  const button = make(
    "button",
    { class: "button", "data-size": "small", type: "button" },
    "Copy the inputs",
  );
  button.addEventListener("click", () => void copyText(button, result.inputs));
  return make(
    "details",
    { class: "result__more" },
    make("summary", {}, "Inputs to reproduce it"),
    make("pre", { tabindex: "0" }, make("code", { "data-python": true }, result.inputs)),
    button,
  );
}

/** The sentence above the details; null when they say the same already. */
function tellingMessage(result: CheckResult): string | null {
  const { message, difference, exception } = result;
  if (message === "") return SENTENCES[result.verdict];
  if (difference && message.includes(difference.got) && message.includes(difference.expected)) {
    return null;
  }
  if (exception && message === `${exception.type}: ${exception.text}`) return null;
  return message;
}

/** Text in which `names` in backticks are set as code, and nothing else is markup. */
export function inlineCode(text: string): (Node | string)[] {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [text];
  return parts.map((part, at) => (at % 2 === 1 ? make("code", {}, part) : part));
}

function renderFoldedTimeline(drawing: Drawing): HTMLElement {
  return make(
    "div",
    { class: "result__body" },
    make(
      "details",
      { class: "result__more" },
      make("summary", {}, "Rank × time"),
      renderTimeline(drawing),
    ),
  );
}

export function renderResult(result: CheckResult, jump: Jump): HTMLElement {
  const article = make(
    "article",
    { class: "result", "data-verdict": result.verdict, id: `result-${result.check}` },
    make(
      "header",
      { class: "result__head" },
      badge(result.verdict),
      make("h4", { class: "result__title" }, ...inlineCode(result.title || result.check)),
      make(
        "span",
        { class: "result__points number" },
        `${points(result.points)} / ${points(result.max_points)}`,
      ),
    ),
  );
  if (result.verdict === "passed") {
    if (result.drawing) article.append(renderFoldedTimeline(result.drawing));
    return article;
  }
  const sentence = tellingMessage(result);
  const body = make(
    "div",
    { class: "result__body" },
    sentence !== null && make("p", {}, ...inlineCode(sentence)),
    result.hidden &&
      make(
        "p",
        { class: "quiet small" },
        "This check is hidden: its inputs and outputs are not shown.",
      ),
    result.drawing && renderTimeline(result.drawing),
    result.difference && renderDifference(result.difference),
    result.exception && renderException(result.exception, jump),
    result.hint !== "" &&
      make(
        "p",
        { class: "result__hint" },
        make("strong", {}, result.mistake ? "This looks like a known mistake:" : "Hint."),
        " ",
        ...inlineCode(result.hint),
      ),
    result.trials > 1 &&
      make(
        "p",
        { class: "quiet small number" },
        `${result.trials_passed} of ${result.trials} trials passed.`,
      ),
    result.inputs !== "" && renderInputs(result),
    result.stdout !== "" &&
      make(
        "details",
        { class: "result__more" },
        make("summary", {}, "What it printed"),
        make("pre", { tabindex: "0" }, make("samp", {}, result.stdout)),
      ),
  );
  article.append(body);
  return article;
}
