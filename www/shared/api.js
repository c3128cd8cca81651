// Requests to the server, and its errors (RFC 9457 problem+json) as one class.

/** Longer than the server lets a report take; one that has not answered by then is gone. */
const TIMEOUT_MS = 35_000;

/** What went wrong: `status` 0 when no answer came (type `unreachable` or `timeout`). */
export class Problem extends Error {
  constructor({ status, type, detail, retryAfterMs = 0 }) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.type = type;
    this.detail = detail;
    /** The answer's `Retry-After`; 0 without one. */
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Sends a request and gives the answer's JSON, or null for 204.
 * Throws a `Problem` for every other answer and for none within `timeoutMs`, and an `AbortError`
 * when `signal` aborts.
 */
export async function request(path, { method = "GET", body, signal, timeoutMs = TIMEOUT_MS } = {}) {
  const headers = { accept: "application/json" };
  const init = { method, credentials: "same-origin", headers };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const limit = new AbortController();
  const giveUp = () => limit.abort();
  const timer = setTimeout(giveUp, timeoutMs);
  signal?.addEventListener("abort", giveUp);
  if (signal?.aborted) giveUp();
  try {
    return await answerOf(await fetch(path, { ...init, signal: limit.signal }));
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw limit.signal.aborted ? timedOut(timeoutMs) : unreachable();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

async function answerOf(response) {
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return null;
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem({
      status: response.status,
      type: "unreadable-answer",
      detail: "The server's answer could not be read. A proxy in between may have changed it.",
    });
  }
}

function unreachable() {
  const detail = "The server cannot be reached. Check that it runs and that you are online.";
  return new Problem({ status: 0, type: "unreachable", detail });
}

function timedOut(timeoutMs) {
  const detail = `The server has not answered for ${Math.round(timeoutMs / 1000)} seconds.`;
  return new Problem({ status: 0, type: "timeout", detail });
}

async function problemOf(response) {
  const text = await response.text();
  const body = parsed(text) ?? {};
  return new Problem({
    status: response.status,
    type: typeof body.type === "string" ? body.type : "unknown",
    detail: body.detail || body.title || `The server answered with status ${response.status}.`,
    retryAfterMs: (Number(response.headers.get("retry-after")) || 0) * 1000,
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
