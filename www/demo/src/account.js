// Who is signed in. With consent visitflow signs in, so that the visit knows its user; without,
// the shop asks the server itself and says that no visit is meant.

import { request } from "../../shared/api.js";
import { consent, onConsent } from "./consent.js";
import { client } from "./tracking.js";

const KEY = "larch-user";
const listeners = new Set();
let user = recall();

/** The name of the signed-in user, or null. */
export function signedInUser() {
  return user;
}

/** Calls `listener()` whenever somebody has signed in or out. */
export function onAccount(listener) {
  listeners.add(listener);
}

export async function signIn(username, password) {
  if (visitflowActs()) await client().login(username, password);
  else await request("/api/auth/login", { method: "POST", body: { username, password, visit: false } });
  become(username);
}

export async function signOut() {
  try {
    if (visitflowActs()) await client().logout();
    else await request("/api/auth/logout", { method: "POST", body: {} });
  } catch (problem) {
    // No session left: there is nobody to sign out.
    if (problem.status !== 401) throw problem;
  }
  become(null);
}

// Taking consent back ends the session, and with it the sign-in that rode on it.
onConsent((next, before) => {
  if (user === null) return;
  if (next === "granted") become(user);
  else if (before === "granted") become(null);
});

function visitflowActs() {
  return consent() === "granted" && client() !== null;
}

function become(name) {
  user = name;
  try {
    // The session cookie cannot be read from here, so the name outlives a reload in the tab's own
    // storage; only with consent, as everything that is kept.
    if (name !== null && consent() === "granted") sessionStorage.setItem(KEY, name);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is switched off: a reload forgets the name.
  }
  for (const listener of listeners) listener();
}

function recall() {
  if (consent() !== "granted") return null;
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
