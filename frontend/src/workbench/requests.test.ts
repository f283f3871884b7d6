import { afterEach, expect, test, vi } from "vitest";
import { sendJson } from "./requests";

afterEach(() => vi.unstubAllGlobals());

function serverAnswers(status: number, body: string): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(async () => new Response(body, { status }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

test.each([
  [200, '{"revision": 1}', "ok"],
  [201, '{"submission": "s"}', "ok"],
  [409, '{"revision": 2, "answers": {}, "detail": "newer"}', "conflict"],
  [409, '{"detail": "The lab is closed."}', "refused"],
  [413, '{"detail": "too large"}', "refused"],
  [422, '{"detail": "no such cell"}', "refused"],
  [400, "<html>", "refused"],
  [401, "{}", "signed_out"],
  [403, "<html>", "signed_out"],
  [404, "{}", "signed_out"],
  [500, "<html>", "unreachable"],
  [502, "", "unreachable"],
  [503, '{"detail": "later"}', "unreachable"],
  [200, "<html>a captive portal</html>", "unreachable"],
])("status %i with %s is %s", async (status, body, kind) => {
  serverAnswers(status, body);
  expect((await sendJson("PUT", "/draft", {})).kind).toBe(kind);
});

test("no network is unreachable, never an exception", async () => {
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  expect(await sendJson("PUT", "/draft", {})).toEqual({ kind: "unreachable" });
});

test("the server's sentence is what the student reads", async () => {
  serverAnswers(422, '{"detail": "The lab has no such cell."}');
  expect(await sendJson("PUT", "/draft", {})).toEqual({
    kind: "refused",
    message: "The lab has no such cell.",
  });
});

test("the token of this moment is sent, not the one that the page was born with", async () => {
  document.body.innerHTML = '<input name="csrfmiddlewaretoken" value="from-the-form">';
  const fetched = serverAnswers(200, "{}");
  await sendJson("POST", "/submit", {});
  expect(fetched.mock.lastCall?.[1].headers["X-CSRFToken"]).toBe("from-the-form");
  // biome-ignore lint/suspicious/noDocumentCookie: what Django's cookie looks like from here
  document.cookie = "csrftoken=from-the-cookie";
  await sendJson("POST", "/submit", {});
  expect(fetched.mock.lastCall?.[1].headers["X-CSRFToken"]).toBe("from-the-cookie");
});
