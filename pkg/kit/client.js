// What all kits share. A page has one client, however often a framework mounts the component that starts it, so
// its state is in this module.

import * as visitflow from "visitflow";
import { changed } from "./account.js";

const { init, ...others } = visitflow;

const ACT = { granted: "grant", denied: "deny", pending: "revoke" };

let followed; // the last `consent` that the site passed in
let told; // the last decision that was passed to the client, or heard from it
let telling; // while it is passed
let end; // ends what the client tells `heard`, while there are listeners

const listeners = new Set();

const tell = (decision, act, given = []) => {
  told = decision;
  telling = true;
  try {
    return others[act](...given);
  } finally {
    telling = false;
  }
};

// Decided elsewhere: by an imported function, a consent manager or another tab.
const heard = (decision) => {
  if (telling || decision === told) return;
  told = decision;
  for (const listener of listeners) listener(decision);
};

/** Calls `listener(decision)` when something other than a kit decides; returns a function that stops it. */
export function hear(listener) {
  listeners.add(listener);
  end ??= others.onConsentChange(heard);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    end();
    end = told = undefined; // what is decided from now on is not heard
  };
}

/** The decision that a page begins with; undefined where only the browser knows what it is (`rememberConsent`). */
export const beginning = (consent, options) =>
  consent === "pending" && options?.rememberConsent ? undefined : consent;

/** Calls `then(decision)` with what the client began with; returns a function that stops it. */
export function recall(then) {
  let ended = false;
  others.snapshot().then(({ consent }) => ended || then(consent));
  return () => {
    ended = true;
  };
}

/** Starts the client; later calls apply a changed `consent`. Calling it twice with the same value changes nothing. */
export function follow(options, consent) {
  init({ ...options, consent });
  const isNew = consent !== (followed ?? consent);
  followed = consent;
  if (isNew && consent !== told) tell(consent, ACT[consent]);
  told ??= consent; // grant(), deny() or revoke() may have been called before
}

// React calls what an effect returns, so these return nothing, as their types say.
const nothing = (name) => (...args) => void others[name](...args);

// These may change who is signed in, so useUser() asks again.
const andAsk = (name) => (...given) => {
  const answer = others[name](...given);
  answer.then(changed, () => {});
  return answer;
};

/** All functions of the package but `init`. grant(), deny() and revoke() also call `decided(decision)`. */
export function functions(decided) {
  const decide = (decision, act, given) => {
    const done = tell(decision, act, given);
    decided(decision);
    return done;
  };
  return {
    ...others,
    pageView: nothing("pageView"),
    login: andAsk("login"),
    logout: andAsk("logout"),
    end: andAsk("end"),
    endSession: andAsk("endSession"),
    grant: () => void decide("granted", "grant"),
    deny: () => void decide("denied", "deny"),
    revoke: (...given) => decide("denied", "revoke", given),
  };
}

/** Returns `value`, or throws an error that says what the app has to add. */
export function provided(value, hook, missing) {
  if (!value) throw new Error(`${hook}() is called ${missing}.`);
  return value;
}
