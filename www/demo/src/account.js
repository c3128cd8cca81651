// Who is signed in. The server owns that, so the shop asks it; it remembers only that somebody has signed in
// with this browser, so that nobody else is asked about.

import { request } from "../../shared/api.js";
import { consent } from "./consent.js";
import { arrived, client } from "./tracking.js";

const KEY = "larch-signed-in";
const listeners = new Set();

/**
 * `{ state, since }`: `"out"`, `"in"` since a time, or `"unknown"` when nobody can tell: then the shop goes
 * on to show what it knew, `known`.
 */
let account = recall() ? { state: "unknown", known: "in" } : { state: "out" };

export function accountNow() {
  return account;
}

/** Whether the shop shows somebody who is signed in. */
export function isSignedIn() {
  return (account.known ?? account.state) === "in";
}

/** Calls `listener()` whenever the account has changed. */
export function onAccount(listener) {
  listeners.add(listener);
}

/** Asks the server who is signed in. */
export async function askWho() {
  try {
    const session = await currentSession();
    become(session?.user ? { state: "in", since: session.signedInAt } : { state: "out" });
  } catch {
    // Nobody is signed out for that.
    become({ state: "unknown", known: isSignedIn() ? "in" : "out" });
  }
}

/** Signs in; who is to stay signed in need not do so again for a month. */
export async function signIn(username, password, { stay }) {
  if (visitflowActs()) await client().login(username, password, { remember: stay });
  else await request("/api/auth/login", { method: "POST", body: { username, password, remember: stay, visit: false } });
  remember(true);
  await askWho();
}

export async function signOut() {
  try {
    if (visitflowActs()) await client().logout();
    else await request("/api/auth/logout", { method: "POST", body: {} });
  } catch (problem) {
    // No session left: there is nobody to sign out.
    if (problem.status !== 401) throw problem;
  }
  become({ state: "out" });
}

/** The sessions of the signed-in user, on all devices. */
export const sessions = async () => (await arrived())?.sessions() ?? [];

/** Ends one of them, or `{ others: true }`. */
export const endSession = (which) => client().endSession(which);

if (recall()) askWho();
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && recall()) askWho();
});
addEventListener("storage", ({ key }) => {
  if (key === KEY) askWho(); // another tab has signed in or out
});

async function currentSession() {
  const visitflow = await arrived();
  if (visitflow) return visitflow.session();
  // The script is blocked. The shop works all the same.
  try {
    const { user_id, signed_in_at } = await request("/api/session");
    return { user: user_id, signedInAt: signed_in_at && new Date(signed_in_at) };
  } catch (problem) {
    if (problem.status === 401) return null;
    throw problem;
  }
}

// With consent visitflow signs in, so that the visit knows its user; without, the shop asks the server itself
// and says that no visit is meant.
function visitflowActs() {
  return consent() === "granted" && client() !== null;
}

function become(next) {
  if (next.state === "out") remember(false);
  const same = JSON.stringify(next) === JSON.stringify(account);
  account = next;
  if (same) return;
  for (const listener of listeners) listener();
}

function remember(signedIn) {
  try {
    if (signedIn) localStorage.setItem(KEY, "yes");
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is switched off: after a reload nobody is asked about.
  }
}

function recall() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
