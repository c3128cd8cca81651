// visitflow for Svelte 5: what a root layout calls, and functions for the components below it. Their answers are
// objects with getters, which templates and effects follow.

import { getContext, onMount, setContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";
import { toStore } from "svelte/store";
import { account, subscribe, unasked } from "../kit/account.js";
import { follow, functions, provided } from "../kit/client.js";

const KEY = Symbol("visitflow");

export function setVisitflow({ options, consent, onConsentChange } = {}) {
  const known = () => (typeof consent === "function" ? consent() : consent) ?? options?.consent ?? "pending";
  // The newest word counts: a changed `consent`, or a call of grant(), deny() or revoke().
  let decision = known();
  const readers = new Set();
  const decide = (next) => {
    decision = next;
    for (const update of readers) update();
  };
  const read = createSubscriber((update) => {
    readers.add(update);
    return () => readers.delete(update);
  });

  const all = functions((next) => {
    decide(next);
    onConsentChange?.(next);
  });
  const { grant, deny, revoke } = all;
  const state = {
    get consent() {
      read();
      return decision;
    },
    grant,
    deny,
    revoke,
  };
  setContext(KEY, { functions: all, state });

  // A component is mounted in a browser alone.
  onMount(() => {
    let last = known();
    return toStore(known).subscribe((next) => {
      if (next !== last) decide(next);
      last = next;
      follow(options, next);
    });
  });
}

const use = (hook) =>
  provided(getContext(KEY), hook, "outside of a component that called setVisitflow(): call it in the root layout");

export const useVisitflow = () => use("useVisitflow").functions;

export const useConsent = () => use("useConsent").state;

export function useUser() {
  use("useUser");
  const read = createSubscriber(subscribe);
  const now = () => {
    read();
    return account;
  };
  return {
    get status() {
      return now().status;
    },
    get user() {
      return now().user;
    },
    get session() {
      return now().session;
    },
    refresh: unasked.refresh,
  };
}
