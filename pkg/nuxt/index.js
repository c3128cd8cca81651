// visitflow for Nuxt: a module that adds the plugin and the composables of visitflow/vue, and remembers the
// visitor's decision in a cookie, so that the server renders the right page.

import { addImports, addPlugin, createResolver, defineNuxtModule } from "nuxt/kit";

export default defineNuxtModule({
  meta: { name: "visitflow", configKey: "visitflow" },
  // The endpoint is named here so that NUXT_PUBLIC_VISITFLOW_ENDPOINT can change it at run time.
  defaults: { consentCookie: "consent", endpoint: "" },
  setup(options, nuxt) {
    const { build, runtimeConfig, vite } = nuxt.options;
    runtimeConfig.public.visitflow = options;
    build.transpile.push("visitflow");
    // Vite 7 and earlier move the package's scripts away from its WebAssembly.
    vite.optimizeDeps = { ...vite.optimizeDeps, exclude: [...(vite.optimizeDeps?.exclude ?? []), "visitflow"] };
    addPlugin(createResolver(import.meta.url).resolve("./plugin.js"));
    addImports(["useConsent", "useUser", "useVisitflow"].map((name) => ({ name, from: "visitflow/vue" })));
    // Nuxt has browsers fetch ahead what a page may need. Before consent nothing is to be fetched.
    nuxt.hook("build:manifest", (manifest) => {
      for (const name in manifest) {
        if (/\bvisitflow\b.*\.wasm$/.test(name)) manifest[name].prefetch = false;
      }
    });
  },
});
