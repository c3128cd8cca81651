// The dashboard: decides between sign-in and board, loads the reports, keeps the address.

import { replace } from "../../shared/dom.js";
import { createBoard } from "./board.js";
import { renderBar } from "./header.js";
import { errorNotice, forbiddenNotice } from "./notices.js";
import { periodOf } from "./period.js";
import { createPresence } from "./presence.js";
import * as reports from "./reports.js";
import * as selections from "./selection.js";
import { signInView } from "./signin.js";

/** A running period is loaded anew this often while the tab is visible. */
const REFRESH_MS = 60_000;

const main = document.getElementById("main");
const bar = document.getElementById("bar");

let selection = selections.parse(location.search);
let signedIn = false;
let justSignedIn = false;
let loading = null;
let refreshTimer = null;

const board = createBoard({
  choose: (change) => select({ ...selection, ...change }),
  refresh: () => load({ quiet: true }),
  live: {
    ask: () => reports.live(selection),
    fail: (problem) => handled(problem),
  },
});
// Whatever else goes wrong with a ping, the reports say better.
const presence = createPresence({ ping: reports.ping, fail: (problem) => problem.status === 401 && handled(problem) });

addEventListener("popstate", () => {
  selection = selections.parse(location.search);
  if (main.contains(board.root)) load();
});
document.addEventListener("visibilitychange", () => {
  const settled = main.contains(board.root) && board.root.dataset.state !== "loading";
  if (!document.hidden && settled) load({ quiet: true });
});
load();

function select(next) {
  selection = next;
  history.pushState(null, "", location.pathname + selections.stringify(selection));
  load();
}

/** Loads all reports. A quiet load keeps the old figures on show until the new ones are there. */
async function load({ quiet = false } = {}) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  clearTimeout(refreshTimer);
  const period = periodOf(selection);
  if (!main.contains(board.root)) replace(main, board.root);
  board.mark(selection, period);
  if (!quiet) board.loading();
  renderBar(bar, { signedIn, signOut });
  try {
    const data = await fetchAll(period, signal);
    if (signal.aborted) return;
    board.show({ selection, period, ...data });
    board.live.start();
    presence.start();
    if (period.running) refreshLater();
  } catch (problem) {
    if (signal.aborted || handled(problem)) return;
    const kept = quiet && ["ready", "empty"].includes(board.root.dataset.state);
    if (kept) return stay(problem);
    board.live.stop();
    board.fail(errorNotice(problem, () => load()));
  }
}

function stay(problem) {
  board.stale(problem);
  refreshLater();
}

function refreshLater() {
  refreshTimer = setTimeout(() => document.hidden || load({ quiet: true }), REFRESH_MS);
}

async function fetchAll(period, signal) {
  const currentOverview = reports.overview(period, selection, signal);
  // Asked alone at first: without a session one refusal is enough.
  if (!signedIn) await currentOverview;
  signedIn = true;
  justSignedIn = false;
  renderBar(bar, { signedIn, signOut });
  const [overview, previous, timeseries, topPages, topReferrers] = await Promise.all([
    currentOverview,
    // Only a comparison: without it the figures still stand.
    reports.overview(period.previous, selection, signal).catch(() => null),
    reports.timeseries(period, selection, signal),
    reports.pages(period, selection, signal),
    reports.referrers(period, selection, signal),
  ]);
  return { overview, previous, timeseries, topPages, topReferrers };
}

/** Takes over where another account is needed; false for every other problem. */
function handled(problem) {
  // Refused right after a sign-in that worked: it is the account that does not suit.
  if (problem.status === 401 && justSignedIn) showForbidden();
  else if (problem.status === 401) showSignIn(signedIn ? "Your session has ended. Please sign in again." : null);
  else if (problem.status === 403 && problem.type === "forbidden") showForbidden();
  else return false;
  return true;
}

function showForbidden() {
  leaveBoard();
  signedIn = true;
  justSignedIn = false;
  renderBar(bar, { signedIn, signOut });
  replace(main, forbiddenNotice(signOut));
}

function showSignIn(message) {
  leaveBoard();
  signedIn = false;
  renderBar(bar, { signedIn, signOut });
  const view = signInView({
    message,
    done: async () => {
      justSignedIn = true;
      await load();
      if (signedIn) main.focus({ preventScroll: true });
    },
  });
  replace(main, view.root);
  view.focus();
}

function leaveBoard() {
  board.live.stop();
  presence.stop();
  loading?.abort();
  clearTimeout(refreshTimer);
}

async function signOut() {
  leaveBoard();
  try {
    await reports.signOut();
  } catch (problem) {
    if (problem.status !== 401) {
      if (!main.contains(board.root)) replace(main, board.root);
      board.fail(errorNotice(problem, signOut));
      return;
    }
  }
  signedIn = false;
  showSignIn(null);
}
