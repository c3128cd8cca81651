import { defineNuxtPlugin, useCookie, useRuntimeConfig } from "#imports";
import { createVisitflow } from "visitflow/vue";

const HALF_A_YEAR_S = 182 * 24 * 60 * 60;

export default defineNuxtPlugin({
  name: "visitflow",
  setup({ vueApp }) {
    const { consentCookie, ...options } = useRuntimeConfig().public.visitflow;
    const remembered = useCookie(consentCookie, { maxAge: HALF_A_YEAR_S, sameSite: "lax" });
    vueApp.use(
      createVisitflow({
        options,
        consent: () => (["granted", "denied"].includes(remembered.value) ? remembered.value : options.consent),
        onConsentChange(consent) {
          remembered.value = consent;
        },
      }),
    );
  },
});
