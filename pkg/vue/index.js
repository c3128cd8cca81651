// visitflow for Vue 3: a plugin that starts the client and follows the visitor's consent, and composables.

import { computed, getCurrentInstance, inject, onMounted, onUnmounted, readonly, ref, shallowRef, toValue, watch } from "vue";
import { account, subscribe, unasked } from "../kit/account.js";
import { beginning, follow, functions, hear, provided, recall } from "../kit/client.js";

const KEY = Symbol("visitflow");

export function createVisitflow({ options, consent, onConsentChange, rendered } = {}) {
  const known = () => toValue(consent) ?? options?.consent ?? "pending";
  return {
    install(app) {
      const isServer = typeof window === "undefined";
      const begun = beginning(known(), options);
      // What the server renders the page with: null stands for "not known".
      const first = rendered === undefined ? begun : (rendered ?? undefined);
      // The latest change counts: of `consent`, or by grant(), deny() or revoke().
      const decision = ref(isServer ? first : begun);
      const decided = (next) => {
        decision.value = next;
        onConsentChange?.(next);
      };
      const all = functions(decided);
      app.provide(KEY, { first, consent: readonly(decision), functions: all });
      app.config.globalProperties.$visitflow = all;
      if (isServer) return; // a server renders, and measures nothing
      follow(options, known());
      const ends = [
        hear(decided),
        recall((found) => (decision.value ??= found)),
        watch(known, (next) => {
          decision.value = next;
          follow(options, next);
        }),
      ];
      const { unmount } = app; // app.onUnmount is in Vue 3.5 and later only
      app.unmount = () => {
        for (const end of ends.splice(0)) end();
        unmount.call(app);
      };
    },
  };
}

const use = (hook) => provided(inject(KEY, null), hook, "without the plugin: app.use(createVisitflow())");

export const useVisitflow = () => use("useVisitflow").functions;

export function useConsent() {
  const { first, consent, functions } = use("useConsent");
  const { grant, deny, revoke } = functions;
  // A component that hydrates, whose element is there already, begins as the server has rendered it.
  const isHydrating = ref(Boolean(getCurrentInstance().vnode.el));
  onMounted(() => (isHydrating.value = false));
  return { consent: computed(() => (isHydrating.value ? first : consent.value)), grant, deny, revoke };
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
