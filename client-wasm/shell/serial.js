// One thing at a time: the page may have wrapped `fetch`, and call us from there.

import { attempt } from "./attempt.js";

const inbox = []; // what happened while Rust was busy
let busy;

/** Runs what calls into Rust, now or after what is running. */
export const serially = (run) => {
  inbox.push(run);
  if (busy) return;
  busy = true;
  for (let next; (next = inbox.shift()); ) attempt(next);
  busy = false;
};
