/** Times: the server writes them in the course's zone; here they turn into the reader's zone, with
 * the course's zone on hover and a relative form that stays true while the page is open. */

const STEPS: ReadonlyArray<readonly [Intl.RelativeTimeFormatUnit, number]> = [
  ["year", 365 * 24 * 3600],
  ["month", 30 * 24 * 3600],
  ["week", 7 * 24 * 3600],
  ["day", 24 * 3600],
  ["hour", 3600],
  ["minute", 60],
];

/** "in 3 hours", "2 days ago", "just now"; rounded towards now, so that nobody is promised more
 * time than there is. */
export function relativeTime(then: Date, now: Date): string {
  const seconds = (then.getTime() - now.getTime()) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) {
      const amount = Math.trunc(seconds / size);
      // "tomorrow" for 47 hours from now would be wrong; numbers say what they mean
      return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(amount, unit);
    }
  }
  return Math.abs(seconds) < 10 ? "just now" : words.format(Math.trunc(seconds), "second");
}

/** "saved 2 s ago": short, for an instrument that is looked at from the corner of the eye. */
export function shortAge(then: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - then.getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 24 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / (24 * 3600))} d ago`;
}

export interface TimeStyle {
  readonly withTime: boolean;
  readonly withZone: boolean;
}

export function absoluteTime(when: Date, zone: string | undefined, style: TimeStyle): string {
  const parts: Intl.DateTimeFormatOptions = {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    ...(zone === undefined ? {} : { timeZone: zone }),
    ...(style.withTime ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : {}),
    ...(style.withZone ? { timeZoneName: "short" } : {}),
  };
  return new Intl.DateTimeFormat("en-GB", parts).format(when);
}

function viewerZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function renderTime(element: HTMLTimeElement, now: Date, viewer = viewerZone()): void {
  const when = new Date(element.dateTime);
  if (Number.isNaN(when.getTime())) return;
  const courseZone = element.dataset.zone;
  const isDue = element.dataset.due !== undefined;
  const style = { withTime: true, withZone: isDue || viewer !== courseZone };
  const relative = relativeTime(when, now);
  const shown = element.querySelector<HTMLElement>("[data-shown]") ?? element;
  shown.textContent =
    element.dataset.form === "relative" ? relative : absoluteTime(when, viewer, style);
  const relativePlace = element.querySelector<HTMLElement>("[data-relative]");
  if (relativePlace) relativePlace.textContent = relative;
  const inCourse = absoluteTime(when, courseZone, { withTime: true, withZone: true });
  const name = courseZone ? ` (${courseZone.replaceAll("_", " ")})` : "";
  element.title = `${inCourse}${name}, ${relative}`;
}

export function startTimes(doc: Document): void {
  const renderAll = (): void => {
    const now = new Date();
    for (const element of doc.querySelectorAll<HTMLTimeElement>("time[data-moment]")) {
      renderTime(element, now);
    }
  };
  renderAll();
  setInterval(renderAll, 30_000);
  doc.addEventListener("htmx:afterSettle", renderAll);
}
