import { createContext, createElement, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { beginning, follow, functions, hear, provided, recall } from "../kit/client.js";

const Context = createContext(null);

export function VisitflowProvider({ options, consent = options?.consent ?? "pending", onConsentChange, children }) {
  // The newest word counts: a changed `consent`, or a call of grant(), deny() or revoke().
  const [decision, setDecision] = useState(() => beginning(consent, options));
  const [given, setGiven] = useState(consent);
  if (given !== consent) {
    setGiven(consent);
    setDecision(consent);
  }

  const listener = useRef(onConsentChange);
  useEffect(() => {
    listener.current = onConsentChange;
  });
  // In StrictMode this runs twice. The effects of children run earlier, and may already have decided.
  useEffect(() => follow(options, consent), [consent]);

  // After hydration: a server cannot know what this browser remembers.
  const isUnknown = decision === undefined;
  useEffect(() => (isUnknown ? recall((found) => setDecision((decided) => decided ?? found)) : undefined), [isUnknown]);

  const decided = useCallback((decision) => {
    setDecision(decision);
    listener.current?.(decision);
  }, []);
  useEffect(() => hear(decided), [decided]);

  // The same functions as long as the provider lives, so that effects may depend on them.
  const all = useMemo(() => functions(decided), [decided]);
  const value = useMemo(() => ({ functions: all, consent: decision }), [all, decision]);
  return createElement(Context.Provider, { value }, children);
}

export const useProvided = (hook) =>
  provided(useContext(Context), hook, "outside of <VisitflowProvider>: put one around the app");

export const useVisitflow = () => useProvided("useVisitflow").functions;

export function useConsent() {
  const { consent, functions } = useProvided("useConsent");
  const { grant, deny, revoke } = functions;
  return { consent, grant, deny, revoke };
}
