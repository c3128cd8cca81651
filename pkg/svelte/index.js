// visitflow for Svelte 5: a function for the root layout, and functions for the components below it. They return
// objects with reactive getters.

import { getContext, onMount, setContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";
import { toStore } from "svelte/store";
import { account, subscribe, unasked } from "../kit/account.js";
import { beginning, follow, functions, hear, provided, recall } from "../kit/client.js";

const KEY = Symbol("visitflow");

export function setVisitflow({ options, consent, onConsentChange } = {}) {
  const known = () => (typeof consent === "function" ? consent() : consent) ?? options?.consent ?? "pending";
  // The latest change counts: of `consent`, or by grant(), deny() or revoke().
  let decision = beginning(known(), options);
  const readers = new Set();
  const decide = (next) => {
    decision = next;
    for (const update of readers) update();
  };
  const read = createSubscriber((update) => {
    readers.add(update);
    return () => readers.delete(update);
  });

  const decided = (next) => {
    decide(next);
    onConsentChange?.(next);
  };
  const all = functions(decided);
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

  // Components are mounted only in a browser.
  onMount(() => {
    let last = known();
    const ends = [
      hear(decided),
      toStore(known).subscribe((next) => {
        if (next !== last) decide(next);
        last = next;
        follow(options, next);
      }),
      recall((found) => decision ?? decide(found)),
    ];
    return () => ends.forEach((end) => end());
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
