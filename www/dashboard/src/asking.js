// A report that is asked for, asked for again while it is looked at, and tried again when it fails.

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;

/** Statuses that another try may mend; so may no answer, an unreadable one, and any 5xx. */
const PASSING = new Set([0, 200, 408, 425, 429]);

/**
 * Asks until it is stopped.
 *
 * - `ask(signal)` asks once;
 * - `answered(answer)` hears the answer, and says in how many ms to ask again (null: never);
 * - `failed(problem, retryMs)` hears each failure, and in how many ms the next try is (null: there is none);
 * - `asking()` hears that a question begins;
 * - `left(problem)` says whether the failure has ended it all, as a session that is over does.
 *
 * Nothing is asked while the page is hidden; what came due meanwhile is asked when it is shown.
 */
export function createAsking({ ask, answered, failed, asking = () => {}, left = () => false, page = document, random = Math.random }) {
  let current = null;
  let timer = null;
  let due = false;
  let failures = 0;

  const stop = () => {
    current?.abort();
    current = null;
    due = false;
    clearTimeout(timer);
  };

  const next = (delayMs) => {
    if (delayMs !== null) timer = setTimeout(() => (page.hidden ? (due = true) : now()), delayMs);
  };

  const now = async () => {
    stop();
    const mine = (current = new AbortController());
    const over = () => mine !== current;
    asking();
    try {
      const answer = await ask(mine.signal);
      if (over()) return;
      const everyMs = answered(answer);
      failures = 0;
      if (!over()) next(everyMs);
    } catch (problem) {
      if (over() || left(problem)) return;
      failures = mayPass(problem) ? failures + 1 : 0;
      const retryMs = failures > 0 ? retryDelay(failures, problem.retryAfterMs, random) : null;
      failed(problem, retryMs);
      if (!over()) next(retryMs);
    } finally {
      if (!over()) current = null;
    }
  };

  page.addEventListener("visibilitychange", () => {
    if (due && !page.hidden) now();
  });
  // The browser is online again.
  globalThis.addEventListener?.("online", () => {
    if (failures > 0 && current === null) now();
  });

  return {
    /** Forgets what is under way and what has failed, and asks. */
    start() {
      failures = 0;
      return now();
    },
    /** Asks, unless it is asking already. */
    refresh() {
      return current === null ? now() : undefined;
    },
    stop() {
      failures = 0;
      stop();
    },
  };
}

/** Whether another try may go better. */
export function mayPass({ status }) {
  return status === undefined || PASSING.has(status) || status >= 500;
}

/** Twice as long after each failure, spread by a quarter, at least what the server asks for. */
export function retryDelay(failures, retryAfterMs = 0, random = Math.random) {
  const delay = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
  const least = Math.min(retryAfterMs, LONGEST_RETRY_MS);
  return Math.round(Math.max(delay * (0.75 + random() / 2), least));
}
