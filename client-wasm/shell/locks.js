// What one tab of an origin does at a time.

import { CHANNEL, LOCKED } from "./generated.js";
import { tell } from "./rust.js";

/** How long a tab waits for another that sleeps with the lock in its hand, in ms. */
const PATIENCE_MS = 3000;

let release; // of the lock that this tab holds

/** Tells once this tab alone may start a session, or when it has waited for long enough. */
export const lock = () => {
  let late = setTimeout(() => go(), PATIENCE_MS);
  const go = (hold) => {
    if (!late) return hold?.();
    clearTimeout(late);
    late = 0;
    unlock();
    release = hold;
    tell(LOCKED);
  };
  // Where there are no locks (plain HTTP) the server joins what two tabs start.
  const locked = async () => navigator.locks?.request(CHANNEL, () => new Promise(go));
  locked().then(() => go(), () => go());
};

/** Gives the lock back. */
export const unlock = () => {
  release?.();
  release = undefined;
};
