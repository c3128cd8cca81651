// A part of the board with a report of its own: it loads, fails and recovers by itself.

import { el, replace } from "../../shared/dom.js";
import { createAsking } from "./asking.js";
import * as format from "./format.js";

/** An answer that takes longer is late, and what is shown is not called current any more. */
const LATE_MS = 3_000;

/**
 * Joins `part` with its report. A part has `root`, `body` (what gives way to a failure), `loading()`
 * and `show(answer)`; `everyMs(answer)` says when to ask again; `left(problem)` is that of asking.js.
 *
 * `data-state` of the root is `loading`, `ready`, `waiting` (a late answer), `stale` (the last try
 * failed, an older answer is shown) or `failed` (there is nothing to show).
 */
export function createReport({ part, ask, everyMs, left, heard = () => {} }) {
  const trouble = el("div", { class: "trouble", role: "status", hidden: true });
  part.root.append(trouble);
  let answeredAt = null;
  let late = null;

  const become = (state) => {
    part.root.dataset.state = state;
    part.root.setAttribute("aria-busy", String(state === "loading"));
    part.body.hidden = state === "failed";
    trouble.hidden = state !== "failed" && state !== "stale";
    heard(state);
  };

  const asking = createAsking({
    ask,
    left,
    asking() {
      clearTimeout(late);
      late = setTimeout(() => part.root.dataset.state === "ready" && become("waiting"), LATE_MS);
    },
    answered(answer) {
      clearTimeout(late);
      part.show(answer);
      answeredAt = Date.now();
      become("ready");
      return everyMs(answer);
    },
    failed(problem, retryMs) {
      clearTimeout(late);
      const since = answeredAt === null ? null : new Date(answeredAt);
      replace(trouble, el("p", {}, failureText(problem, retryMs, since)), tryNow(() => asking.refresh()));
      become(since ? "stale" : "failed");
    },
  });

  return {
    /** Blanks the part and asks. */
    start() {
      answeredAt = null;
      part.loading();
      become("loading");
      asking.start();
    },
    refresh: asking.refresh,
    stop() {
      clearTimeout(late);
      asking.stop();
    },
  };
}

function tryNow(act) {
  return el("button", { type: "button", class: "link-button", on: { click: act } }, "Try now");
}

/** What happened to a report, and what happens next. */
export function failureText(problem, retryMs, since = null) {
  const what = since ? `Not updated since ${format.clock(since)}.` : "Could not be loaded.";
  const next = retryMs === null ? null : `Next try in ${format.plural(Math.max(1, Math.round(retryMs / 1000)), "second")}.`;
  return [what, reasonOf(problem), next].filter(Boolean).join(" ");
}

/** In the words of a reader of reports; the server's are for whoever sends facts. */
function reasonOf({ status, detail, message }) {
  if (status === 429) return "The server takes no more requests from this address for now.";
  if (status === 503) return "The server is busy, or its database does not answer.";
  if (status === 502 || status === 504) return "The proxy in front of the server gets no answer from it.";
  if (status >= 500) return `The server failed (status ${status}); its log says why.`;
  return detail ?? message;
}
