import { createContext, createElement, useContext, useEffect, useMemo, useRef, useState } from "react";
import * as visitflow from "visitflow";
import { changed } from "./account.js";

const Context = createContext(null);

const ACT = { granted: "grant", denied: "deny", pending: "revoke" };

// A page has one client, however often React mounts a provider: so these are the module's.
let followed; // the last `consent` of a provider
let told; // the last decision that the client was told

const tell = (decision, act, given = []) => {
  told = decision;
  return visitflow[act](...given);
};

// What an effect returns, React calls: so these return nothing, as their types say.
const nothing = (name) => (...args) => void visitflow[name](...args);

// What may change who is signed in: useUser() asks then.
const andAsk = (name) => (...given) => {
  const answer = visitflow[name](...given);
  answer.then(changed, () => {});
  return answer;
};

// In StrictMode this runs twice; the second time nothing is new.
const follow = (options, consent) => {
  visitflow.init({ ...options, consent });
  const isNew = consent !== (followed ?? consent);
  followed = consent;
  told ??= consent; // unless a child's effect, which runs earlier, has decided already
  if (isNew && consent !== told) tell(consent, ACT[consent]);
};

export function VisitflowProvider({ options, consent = options?.consent ?? "pending", onConsentChange, children }) {
  // The newest word counts: a changed `consent`, or a call of grant(), deny() or revoke().
  const [decision, setDecision] = useState(consent);
  const [given, setGiven] = useState(consent);
  if (given !== consent) {
    setGiven(consent);
    setDecision(consent);
  }

  const listener = useRef(onConsentChange);
  useEffect(() => {
    listener.current = onConsentChange;
  });
  useEffect(() => follow(options, consent), [consent]);

  // The same functions as long as the provider lives, so that effects may depend on them.
  const functions = useMemo(() => {
    const decide = (decision, act, given) => {
      const done = tell(decision, act, given);
      setDecision(decision);
      listener.current?.(decision);
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
  }, []);
  const value = useMemo(() => ({ functions, consent: decision }), [functions, decision]);
  return createElement(Context.Provider, { value }, children);
}

export const useProvided = (hook) => {
  const value = useContext(Context);
  if (!value) throw new Error(`${hook}() is called outside of <VisitflowProvider>: put one around the app.`);
  return value;
};

export const useVisitflow = () => useProvided("useVisitflow").functions;

export function useConsent() {
  const { consent, functions } = useProvided("useConsent");
  const { grant, deny, revoke } = functions;
  return { consent, grant, deny, revoke };
}
