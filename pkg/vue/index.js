// visitflow for Vue 3: a plugin that starts the client and follows the visitor's consent, and composables.

import { computed, inject, onMounted, onUnmounted, readonly, ref, shallowRef, toValue, watch } from "vue";
import { account, subscribe, unasked } from "../kit/account.js";
import { follow, functions, hear, provided } from "../kit/client.js";

const KEY = Symbol("visitflow");

export function createVisitflow({ options, consent, onConsentChange } = {}) {
  const known = () => toValue(consent) ?? options?.consent ?? "pending";
  return {
    install(app) {
      // The latest change counts: of `consent`, or by grant(), deny() or revoke().
      const decision = ref(known());
      const decided = (next) => {
        decision.value = next;
        onConsentChange?.(next);
      };
      const all = functions(decided);
      app.provide(KEY, { consent: readonly(decision), functions: all });
      app.config.globalProperties.$visitflow = all;
      if (typeof window === "undefined") return; // a server renders, and measures nothing
      follow(options, decision.value);
      const ends = [
        hear(decided),
        watch(known, (next) => {
          decision.value = next;
          follow(options, next);
        }),
      ];
      app.onUnmount?.(() => ends.forEach((end) => end())); // Vue 3.5 and later
    },
  };
}

const use = (hook) => provided(inject(KEY, null), hook, "without the plugin: app.use(createVisitflow())");

export const useVisitflow = () => use("useVisitflow").functions;

export function useConsent() {
  const { consent, functions } = use("useConsent");
  const { grant, deny, revoke } = functions;
  return { consent, grant, deny, revoke };
}

export function useUser() {
  use("useUser");
  const now = shallowRef(unasked); // as the server renders it, so that hydration finds no difference
  let end;
  onMounted(() => {
    const look = () => void (now.value = account);
    end = subscribe(look);
    look();
  });
  onUnmounted(() => end?.());
  const part = (name) => computed(() => now.value[name]);
  return { status: part("status"), user: part("user"), session: part("session"), refresh: unasked.refresh };
}
