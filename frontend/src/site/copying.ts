/** A button with data-copy="#id" copies that element's text and says so for a moment. */

export function startCopying(doc: Document): void {
  doc.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const button = target.closest<HTMLButtonElement>("button[data-copy]");
    if (!button) return;
    const source = doc.querySelector(button.dataset.copy ?? "");
    if (source) void copyText(button, source.textContent ?? "");
  });
}

/** The clipboard is closed to pages that are not served securely; then the text is selected, so
 * that one keystroke remains. */
export async function copyText(button: HTMLElement, text: string): Promise<void> {
  const label = button.dataset.label ?? button.textContent ?? "";
  button.dataset.label = label;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copying is blocked here";
  }
  setTimeout(() => {
    button.textContent = label;
  }, 2000);
}
