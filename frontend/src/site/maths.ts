/** Maths in lesson prose: the server leaves the TeX source as text in elements with data-maths,
 * readable as it is, and KaTeX replaces it here. Loaded only by pages that have any. */
import katex from "katex";
import "katex/dist/katex.min.css";

export function renderMaths(element: HTMLElement): void {
  const source = element.textContent ?? "";
  const display = element.dataset.maths === "block";
  try {
    // Into a detached element first: an error leaves the source standing. trust is off, so that
    // \href and \includegraphics of a course author cannot carry addresses into the page.
    const place = document.createElement("span");
    katex.render(source, place, { displayMode: display, throwOnError: true, trust: false });
    element.replaceChildren(...place.childNodes);
    element.dataset.maths = "done";
  } catch (error) {
    element.dataset.maths = "failed";
    element.title = error instanceof Error ? error.message : String(error);
  }
}
