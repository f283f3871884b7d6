/** Listens to one submission's grading: server-sent events, and polling where those do not get through. */

import {
  type AttemptState,
  type CheckResult,
  fromStatus,
  hear,
  NOTHING_YET,
  type Progress,
  type Score,
  type Status,
} from "./progress";

const POLL_MS = 2000;

export type Listener = (progress: Progress, connected: boolean) => void;

export class GradingStream {
  #progress = NOTHING_YET;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly eventsUrl: string,
    private readonly statusUrl: string,
    private readonly listener: Listener,
  ) {}

  open(): void {
    const source = new EventSource(this.eventsUrl);
    this.#source = source;
    source.addEventListener("state", (event) => {
      this.#hear({ kind: "state", data: JSON.parse(event.data) as AttemptState });
    });
    source.addEventListener("result", (event) => {
      this.#hear({ kind: "result", data: JSON.parse(event.data) as CheckResult });
    });
    source.addEventListener("score", (event) => {
      this.#hear({ kind: "score", data: JSON.parse(event.data) as Score });
    });
    source.addEventListener("end", () => {
      this.close();
      this.#hear({ kind: "end" });
    });
    source.addEventListener("error", () => {
      if (this.#closed) return;
      // The browser connects again by itself, except after an answer that is no event stream.
      if (source.readyState === EventSource.CLOSED) void this.#poll();
      this.listener(this.#progress, false);
    });
  }

  close(): void {
    this.#closed = true;
    this.#source?.close();
    clearTimeout(this.#timer);
  }

  #hear(event: Parameters<typeof hear>[1]): void {
    this.#progress = hear(this.#progress, event);
    this.listener(this.#progress, true);
  }

  async #poll(): Promise<void> {
    try {
      const response = await fetch(this.statusUrl, { credentials: "same-origin" });
      if (!response.ok) throw new Error(`status ${response.status}`);
      this.#progress = fromStatus((await response.json()) as Status);
      if (this.#progress.ended) this.close();
      this.listener(this.#progress, true);
    } catch {
      this.listener(this.#progress, false);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#poll(), POLL_MS);
  }
}
