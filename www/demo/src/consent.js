// The visitor's decision. Before there is one the shop keeps nothing in the browser at all; after
// it, one entry with the decision, so that nobody is asked twice.

import { track } from "./tracking.js";

const KEY = "larch-consent";
const listeners = new Set();
let decision = recall();

if (decision === "granted") track("grant");
if (decision === "denied") track("deny");

/** `"granted"`, `"denied"`, or null while undecided. */
export function consent() {
  return decision;
}

export function decide(next) {
  remember(next);
  apply(next);
}

/** Calls `listener(decision, before)` at every change. */
export function onConsent(listener) {
  listeners.add(listener);
}

// A decision in another tab of the shop counts here as well.
addEventListener("storage", ({ key, newValue }) => {
  if (key === KEY && valid(newValue) !== null && newValue !== decision) apply(newValue);
});

function apply(next) {
  const before = decision;
  decision = next;
  if (next !== before) track(next === "granted" ? "grant" : "deny");
  for (const listener of listeners) listener(next, before);
}

function recall() {
  try {
    return valid(localStorage.getItem(KEY));
  } catch {
    // Storage is switched off: the visitor is asked on each visit.
    return null;
  }
}

function remember(next) {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // As in `recall`: the decision holds until the page is left.
  }
}

function valid(value) {
  return value === "granted" || value === "denied" ? value : null;
}
