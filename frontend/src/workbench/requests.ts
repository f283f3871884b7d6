/** Requests that change something: with the CSRF token of this moment, a time limit, and answers
 * sorted into what the caller can do about them. */

const PATIENCE_MS = 15_000;

export type Answer =
  | { readonly kind: "ok"; readonly body: unknown }
  | { readonly kind: "conflict"; readonly body: unknown }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "signed_out" }
  | { readonly kind: "unreachable" };

/** The cookie changes when somebody signs in again in another tab; the form's token does not. */
function csrfToken(): string {
  const cookie = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1];
  const field = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  return cookie ?? field?.value ?? "";
}

export async function sendJson(
  method: "PUT" | "POST",
  url: string,
  body: unknown,
  keepalive = false,
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      keepalive,
      credentials: "same-origin",
      redirect: "manual",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body),
      ...(keepalive ? {} : { signal: AbortSignal.timeout(PATIENCE_MS) }),
    });
  } catch {
    return { kind: "unreachable" };
  }
  return sort(response);
}

async function sort(response: Response): Promise<Answer> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body === null ? { kind: "unreachable" } : { kind: "ok", body };
  switch (response.status) {
    case 409:
      return isDraft(body)
        ? { kind: "conflict", body }
        : { kind: "refused", message: sentence(body, response.status) };
    case 400:
    case 413:
    case 422:
      return { kind: "refused", message: sentence(body, response.status) };
    // A redirect to the sign-in page, no session, a stale token, or no right any more.
    case 0:
    case 401:
    case 403:
    case 404:
      return { kind: "signed_out" };
    default:
      return { kind: "unreachable" };
  }
}

function isDraft(body: unknown): boolean {
  return typeof body === "object" && body !== null && "revision" in body && "answers" in body;
}

function sentence(body: unknown, status: number): string {
  if (typeof body === "object" && body !== null && "detail" in body) {
    if (typeof body.detail === "string") return body.detail;
  }
  return `The server refused this (error ${status}).`;
}
