// Who is signed in, asked once for all components of the page that want to know.

import { session } from "visitflow";

/** How long to wait before asking again what nobody could tell, in ms. */
const AGAIN_MS = 5_000;

const listeners = new Set();
let asking; // the newest question
let timer;

/** What useUser() returns. */
export let account = { status: "loading", user: null, session: null, refresh };

/** What it is on a server, and before the first answer. */
export const unasked = account;

/** Asks anew. */
export async function refresh() {
  clearTimeout(timer);
  const mine = (asking = session());
  let next;
  try {
    const found = await mine;
    const user = found?.user ?? null;
    next = { status: user === null ? "signed-out" : "signed-in", user, session: found, refresh };
  } catch {
    // Nobody is signed out for that: the user stays who it was.
    next = { ...account, status: "unknown" };
    if (mine === asking && listeners.size > 0) timer = setTimeout(refresh, AGAIN_MS);
  }
  if (mine !== asking) return; // a later question has a later answer
  asking = undefined;
  account = next;
  for (const listener of listeners) listener();
}

/** Something has happened that may have changed the answer. */
export function changed() {
  if (listeners.size > 0) refresh();
}

// Somebody may have signed in or out in another tab.
const shown = () => document.visibilityState === "visible" && refresh();

/** Calls `listener()` whenever the answer is another, and asks as long as there is a listener. */
export function subscribe(listener) {
  listeners.add(listener);
  if (listeners.size === 1) {
    document.addEventListener("visibilitychange", shown);
    if (!asking) refresh();
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    document.removeEventListener("visibilitychange", shown);
    clearTimeout(timer);
  };
}
