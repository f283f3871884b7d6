import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Progress } from "./progress";
import { GradingStream } from "./stream";

class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2;
  static last: FakeEventSource;
  readyState = 1;

  constructor(readonly url: string) {
    super();
    FakeEventSource.last = this;
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
  }

  say(name: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }

  fail(closed: boolean): void {
    this.readyState = closed ? FakeEventSource.CLOSED : 0;
    this.dispatchEvent(new Event("error"));
  }
}

const STATE = { attempt: "a", state: "running", position: null, eta_seconds: null };
const heard: [Progress, boolean][] = [];

function listen(): GradingStream {
  const stream = new GradingStream("/events/", "/status/", (progress, connected) =>
    heard.push([progress, connected]),
  );
  stream.open();
  return stream;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  heard.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the stream is closed at the end, so that the browser does not connect again", () => {
  listen();
  const source = FakeEventSource.last;
  source.say("state", STATE);
  source.say("result", { check: "one", verdict: "passed" });
  source.say("end", {});
  expect(source.readyState).toBe(FakeEventSource.CLOSED);
  expect(heard.at(-1)?.[0].ended).toBe(true);
  expect(heard.at(-1)?.[0].results.size).toBe(1);
});

test("an interruption is shown and the browser's own reconnecting is left to it", () => {
  const fetched = vi.fn();
  vi.stubGlobal("fetch", fetched);
  listen();
  FakeEventSource.last.say("state", STATE);
  FakeEventSource.last.fail(false);
  expect(heard.at(-1)?.[1]).toBe(false);
  expect(fetched).not.toHaveBeenCalled();
  FakeEventSource.last.say("result", { check: "one", verdict: "passed" });
  expect(heard.at(-1)?.[1]).toBe(true);
});

test("where streams do not get through the status is asked for until the end", async () => {
  const answers = [
    { state: STATE, results: [], score: null, ended: false },
    { state: STATE, results: [{ check: "one" }], score: null, ended: true },
  ];
  const fetched = vi.fn(async () => new Response(JSON.stringify(answers.shift())));
  vi.stubGlobal("fetch", fetched);
  listen();
  FakeEventSource.last.fail(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fetched).toHaveBeenCalledTimes(2);
  expect(heard.at(-1)?.[0].ended).toBe(true);
  expect(heard.at(-1)?.[0].results.has("one")).toBe(true);
});
