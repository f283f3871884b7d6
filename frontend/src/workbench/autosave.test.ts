import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Autosave, type AutosaveView } from "./autosave";
import { LocalCopy } from "./local_copy";
import type { Answer, sendJson } from "./requests";
import { PAUSE_MS } from "./saving";

const STARTERS = { one: "start", two: "start" };
const DRAFT = { revision: 0, answers: STARTERS, savedAt: null };

/** A server with a draft, that can be taken off the network. */
class Server {
  revision = 0;
  answers: Record<string, string> = {};
  reachable = true;
  /** The next answer is lost although the request arrived. */
  deaf = false;
  requests = 0;

  readonly send: typeof sendJson = async (_method, _url, body): Promise<Answer> => {
    this.requests++;
    if (!this.reachable) return { kind: "unreachable" };
    const sent = body as { revision: number; answers: Record<string, string> };
    const answer = this.#answer(sent);
    if (!this.deaf) return answer;
    this.deaf = false;
    return { kind: "unreachable" };
  };

  #answer(sent: { revision: number; answers: Record<string, string> }): Answer {
    const saved_at = "2025-02-20T12:00:00Z";
    if (sent.revision !== this.revision) {
      const { revision, answers } = this;
      return { kind: "conflict", body: { revision, answers, saved_at } };
    }
    this.revision++;
    this.answers = { ...sent.answers };
    return { kind: "ok", body: { revision: this.revision, saved_at } };
  }
}

function view(): AutosaveView & { replaced: Record<string, string>[] } {
  const replaced: Record<string, string>[] = [];
  return {
    replaced,
    show: () => undefined,
    replace: (answers) => replaced.push({ ...answers }),
    warnNoLocalCopy: () => undefined,
  };
}

function page(server: Server, name: string, shown = view(), draft = DRAFT): Autosave {
  const copy = new LocalCopy("1:1", localStorage, undefined, name);
  return new Autosave("/draft", STARTERS, draft, copy, shown, server.send);
}

/** A page that can be killed: from then on its timers reach neither the server nor the storage. */
function mortalPage(server: Server, name: string, draft = DRAFT): [Autosave, () => void] {
  let alive = true;
  const storage = new Proxy(localStorage, {
    get: (target, key) => {
      if (!alive && (key === "setItem" || key === "removeItem")) return () => undefined;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const send: typeof sendJson = (...request) =>
    alive ? server.send(...request) : new Promise(() => undefined);
  const copy = new LocalCopy("1:1", storage, undefined, name);
  const autosave = new Autosave("/draft", STARTERS, draft, copy, view(), send);
  return [
    autosave,
    () => {
      alive = false;
    },
  ];
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
});
afterEach(() => vi.useRealTimers());

test("answers reach the server within two seconds of a pause, starters never", async () => {
  const server = new Server();
  const autosave = page(server, "a");
  autosave.edit("one", "mine");
  expect(autosave.unsaved).toBe(true);
  await pass(PAUSE_MS);
  expect(server.answers).toEqual({ one: "mine" });
  expect(autosave.unsaved).toBe(false);
});

test("this browser has every keystroke until the server has it", async () => {
  const server = new Server();
  const autosave = page(server, "a");
  autosave.edit("one", "m");
  autosave.edit("one", "mi");
  expect(localStorage.length).toBe(1);
  expect(localStorage.getItem("gradus:draft:1:1:a")).toContain('"mi"');
  await pass(PAUSE_MS);
  expect(localStorage.length).toBe(0);
});

test("offline work is sent when the connection is back", async () => {
  const server = new Server();
  server.reachable = false;
  const autosave = page(server, "a");
  autosave.edit("one", "offline");
  await pass(PAUSE_MS + 3500);
  expect(autosave.saving.phase.kind).toBe("offline");
  expect(server.requests).toBe(3);
  server.reachable = true;
  autosave.retry();
  await pass(0);
  expect(server.answers).toEqual({ one: "offline" });
  expect(autosave.saving.phase.kind).toBe("idle");
});

test("a page that dies leaves its answers to the next one", async () => {
  const server = new Server();
  server.reachable = false;
  page(server, "died").edit("one", "typed in the train");
  server.reachable = true;
  const shown = view();
  const next = page(server, "next", shown);
  expect(await next.recover()).toBe(true);
  await pass(PAUSE_MS);
  expect(shown.replaced[0]).toMatchObject({ one: "typed in the train" });
  expect(server.answers).toEqual({ one: "typed in the train" });
  expect(localStorage.length).toBe(0);
});

test("a copy of a page that is still open is left alone", async () => {
  const held = new Set(["gradus:draft:1:1:alive"]);
  const locks = {
    request: async (name: string, ...rest: unknown[]) => {
      const use = rest.at(-1) as (lock: unknown) => unknown;
      return rest.length > 1 ? use(held.has(name) ? null : {}) : undefined;
    },
  } as unknown as LockManager;
  localStorage.setItem("gradus:draft:1:1:alive", "{}");
  const { copies } = await new LocalCopy("1:1", localStorage, locks, "me").orphans();
  expect(copies).toEqual([]);
  expect(localStorage.getItem("gradus:draft:1:1:alive")).toBe("{}");
});

test("a broken copy is no reason to fail", async () => {
  localStorage.setItem("gradus:draft:1:1:broken", "{not json");
  expect(await page(new Server(), "a").recover()).toBe(false);
});

test("a second tab's change to another cell arrives by itself", async () => {
  const server = new Server();
  const shown = view();
  const first = page(server, "first", shown);
  const second = page(server, "second");
  second.edit("two", "theirs");
  await pass(PAUSE_MS);
  first.edit("one", "mine");
  await pass(PAUSE_MS);
  expect(server.answers).toEqual({ one: "mine", two: "theirs" });
  expect(shown.replaced).toEqual([{ two: "theirs" }]);
});

test("a second tab's change to the same cell waits for a choice; flush says that it is not saved", async () => {
  const server = new Server();
  const first = page(server, "first");
  const second = page(server, "second");
  second.edit("one", "theirs");
  await pass(PAUSE_MS);
  first.edit("one", "mine");
  expect(await first.flush()).toBe(false);
  expect(first.saving.phase.kind).toBe("conflict");
  first.resolve("one", "mine");
  await pass(0);
  expect(server.answers).toEqual({ one: "mine" });
  expect(server.revision).toBe(2);
});

test("a lost answer is no conflict with oneself", async () => {
  const server = new Server();
  server.deaf = true;
  const autosave = page(server, "a");
  autosave.edit("one", "first");
  await pass(PAUSE_MS);
  autosave.edit("one", "second");
  await pass(2000);
  expect(autosave.saving.phase.kind).toBe("idle");
  expect(server.answers).toEqual({ one: "second" });
});

test("flush waits for what is on its way and for what was typed meanwhile", async () => {
  const server = new Server();
  const autosave = page(server, "a");
  autosave.edit("one", "first");
  const flushed = autosave.flush();
  autosave.edit("two", "second");
  expect(await flushed).toBe(true);
  expect(server.answers).toEqual({ one: "first", two: "second" });
});

test("random lost answers and killed pages lose nothing", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    localStorage.clear();
    let random = seed;
    const next = (below: number): number => {
      random = (random * 48271) % 2147483647;
      return random % below;
    };
    const server = new Server();
    let [autosave, kill] = mortalPage(server, `p0-${seed}`);
    let typed = "start";
    for (let move = 0; move < 30; move++) {
      switch (next(6)) {
        case 0:
          server.reachable = !server.reachable;
          break;
        case 1:
          server.deaf = true;
          break;
        case 2: {
          kill();
          const { revision } = server;
          const answers = { ...STARTERS, ...server.answers };
          const draft = { revision, answers, savedAt: null };
          [autosave, kill] = mortalPage(server, `p${move}-${seed}`, draft);
          await autosave.recover();
          break;
        }
        default:
          typed = `version ${move} of ${seed}`;
          autosave.edit("one", typed);
          await pass(next(1500));
      }
      expect(autosave.saving.phase.kind).not.toBe("conflict");
      expect(autosave.saving.mine.one).toBe(typed);
    }
    server.reachable = true;
    server.deaf = false;
    await pass(60_000);
    expect(server.answers.one ?? "start").toBe(typed);
  }
});
