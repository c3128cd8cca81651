import { defineNuxtPlugin, useCookie, useRuntimeConfig, useState } from "#imports";
import { createVisitflow } from "visitflow/vue";

const HALF_A_YEAR_S = 182 * 24 * 60 * 60;

export default defineNuxtPlugin({
  name: "visitflow",
  setup({ vueApp, ssrContext }) {
    const { consentCookie, ...options } = useRuntimeConfig().public.visitflow;
    const remembered = useCookie(consentCookie, { maxAge: HALF_A_YEAR_S, sameSite: "lax" });
    const consent = () => (["granted", "denied"].includes(remembered.value) ? remembered.value : options.consent);
    // A page that is prerendered or cached is for all visitors, so it is rendered without a decision.
    const isForAll = import.meta.prerender || ssrContext?.event.context.cache;
    const rendered = useState("visitflow:consent", () => (isForAll ? null : (consent() ?? "pending")));
    vueApp.use(
      createVisitflow({
        options,
        consent,
        rendered: rendered.value,
        onConsentChange(decision) {
          remembered.value = decision;
        },
      }),
    );
  },
});
