export default defineNuxtConfig({
  modules: ["visitflow/nuxt"],
  // The server; at run time NUXT_PUBLIC_VISITFLOW_ENDPOINT names another one.
  visitflow: { endpoint: "http://127.0.0.1:8080" },
  routeRules: {
    "/about": { prerender: true }, // the same page for all visitors, made when the site is built
    "/old": { redirect: "/about" },
  },
  compatibilityDate: "2026-01-01",
  telemetry: false,
});
