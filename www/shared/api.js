// Requests to the server, and its errors (RFC 9457 problem+json) as one class.

/** What went wrong: `status` 0 and type `unreachable` when no answer came. */
export class Problem extends Error {
  constructor({ status, type, detail }) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.type = type;
    this.detail = detail;
  }
}

/**
 * Sends a request and gives the answer's JSON, or null for 204.
 * Throws a `Problem` for every other answer, and an `AbortError` when `signal` aborts.
 */
export async function request(path, { method = "GET", body, signal } = {}) {
  const init = { method, signal, credentials: "same-origin", headers: { accept: "application/json" } };
  if (body !== undefined) {
    init.headers["content-type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const response = await reach(path, init);
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return null;
  return response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      status: response.status,
      type: "unreadable-answer",
      detail: "The server's answer could not be read. A proxy in between may have changed it.",
    });
  });
}

async function reach(path, init) {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      status: 0,
      type: "unreachable",
      detail: "The server cannot be reached. Check that it runs and that you are online.",
    });
  }
}

async function problemOf(response) {
  const body = (await response.json().catch(() => null)) ?? {};
  return new Problem({
    status: response.status,
    type: typeof body.type === "string" ? body.type : "unknown",
    detail: body.detail || body.title || `The server answered with status ${response.status}.`,
  });
}
