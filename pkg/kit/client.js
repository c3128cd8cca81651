// What all kits share: a page has one client, however often a framework mounts what begins it. Here is what
// that client was told.

import * as visitflow from "visitflow";
import { changed } from "./account.js";

const ACT = { granted: "grant", denied: "deny", pending: "revoke" };

let followed; // the last consent that a site gave
let told; // the last decision that the client was told

const tell = (decision, act, given = []) => {
  told = decision;
  return visitflow[act](...given);
};

/** Begins measuring, and afterwards does what a changed `consent` asks for. Called twice nothing is new. */
export function follow(options, consent) {
  visitflow.init({ ...options, consent });
  const isNew = consent !== (followed ?? consent);
  followed = consent;
  told ??= consent; // unless one of the functions has decided already
  if (isNew && consent !== told) tell(consent, ACT[consent]);
}

// What an effect returns, React calls: so these return nothing, as their types say.
const nothing = (name) => (...args) => void visitflow[name](...args);

// What may change who is signed in: useUser() asks then.
const andAsk = (name) => (...given) => {
  const answer = visitflow[name](...given);
  answer.then(changed, () => {});
  return answer;
};

/** All functions of the package but `init`; `decided(decision)` hears of what they decide. */
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

/** What `useConsent()` of a kit finds, or says what is missing. */
export function provided(value, hook, missing) {
  if (!value) throw new Error(`${hook}() is called ${missing}.`);
  return value;
}
