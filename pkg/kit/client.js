// What all kits share. A page has one client, however often a framework mounts the component that starts it, so
// its state is in this module.

import * as visitflow from "visitflow";
import { changed } from "./account.js";

const ACT = { granted: "grant", denied: "deny", pending: "revoke" };

let followed; // the last `consent` that the site passed in
let told; // the last decision that was passed to the client

const tell = (decision, act, given = []) => {
  told = decision;
  return visitflow[act](...given);
};

/** Starts the client; later calls apply a changed `consent`. Calling it twice with the same value changes nothing. */
export function follow(options, consent) {
  visitflow.init({ ...options, consent });
  const isNew = consent !== (followed ?? consent);
  followed = consent;
  told ??= consent; // grant(), deny() or revoke() may have been called before
  if (isNew && consent !== told) tell(consent, ACT[consent]);
}

// React calls what an effect returns, so these return nothing, as their types say.
const nothing = (name) => (...args) => void visitflow[name](...args);

// These may change who is signed in, so useUser() asks again.
const andAsk = (name) => (...given) => {
  const answer = visitflow[name](...given);
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
  const { init, ...others } = visitflow;
  return {
    ...others,
    event: nothing("event"),
    order: nothing("order"),
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
