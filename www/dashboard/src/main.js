// The dashboard: decides between sign-in and board, keeps the address.

import { replace } from "../../shared/dom.js";
import { createBoard } from "./board.js";
import { renderBar } from "./header.js";
import { cookieNotice, errorNotice, forbiddenNotice } from "./notices.js";
import { createPresence } from "./presence.js";
import * as reports from "./reports.js";
import * as selections from "./selection.js";
import { signInView } from "./signin.js";

const main = document.getElementById("main");
const bar = document.getElementById("bar");

let selection = selections.parse(location.search);
let signedIn = false;
let justSignedIn = false;

const board = createBoard({
  choose: (change) => select({ ...selection, ...change }),
  arrived,
  left: (problem) => handled(problem),
});
// Whatever else goes wrong with a ping, the reports say better.
const presence = createPresence({ ping: reports.ping, fail: (problem) => problem.status === 401 && handled(problem) });

addEventListener("popstate", () => {
  selection = selections.parse(location.search);
  if (main.contains(board.root)) load();
});
load();

function select(next) {
  selection = next;
  history.pushState(null, "", location.pathname + selections.stringify(selection));
  load();
}

function load() {
  if (!main.contains(board.root)) replace(main, board.root);
  renderBar(bar, { signedIn, signOut });
  board.load(selection);
}

/** A report has come: this is an admin's session. */
function arrived() {
  if (!signedIn || justSignedIn) presence.start();
  if (justSignedIn) main.focus({ preventScroll: true });
  signedIn = true;
  justSignedIn = false;
  renderBar(bar, { signedIn, signOut });
}

/** Takes over where another account is needed; false for every other problem. */
function handled(problem) {
  // Refused right after a sign-in that worked: there is no session, so the cookie was not kept.
  if (problem.status === 401 && justSignedIn) leaveFor(cookieNotice(() => showSignIn(null)), false);
  else if (problem.status === 401) showSignIn(signedIn ? "Your session has ended. Please sign in again." : null);
  else if (problem.status === 403 && problem.type === "forbidden") leaveFor(forbiddenNotice(signOut), true);
  else return false;
  return true;
}

function leaveFor(view, isSignedIn) {
  board.stop();
  presence.stop();
  signedIn = isSignedIn;
  justSignedIn = false;
  renderBar(bar, { signedIn, signOut });
  replace(main, view);
}

function showSignIn(message) {
  const view = signInView({
    message,
    done() {
      justSignedIn = true;
      load();
    },
  });
  leaveFor(view.root, false);
  view.focus();
}

async function signOut() {
  board.stop();
  presence.stop();
  try {
    await reports.signOut();
  } catch (problem) {
    if (problem.status !== 401) return leaveFor(errorNotice(problem, signOut), true);
  }
  showSignIn(null);
}
