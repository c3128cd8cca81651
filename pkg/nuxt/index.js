// visitflow for Nuxt: a module that adds the plugin and the composables of visitflow/vue. It keeps the visitor's
// decision in a cookie, so that the server renders the page with or without the banner.

import { addImports, addPlugin, createResolver, defineNuxtModule } from "nuxt/kit";

export default defineNuxtModule({
  meta: { name: "visitflow", configKey: "visitflow" },
  // `endpoint` has a default so that NUXT_PUBLIC_VISITFLOW_ENDPOINT can replace it at run time.
  defaults: { consentCookie: "consent", endpoint: "" },
  setup(options, nuxt) {
    const { build, runtimeConfig, vite } = nuxt.options;
    if (typeof options.before == "function") {
      throw new Error("visitflow: the configuration cannot carry a function to the page; give `before` the name of a global one.");
    }
    runtimeConfig.public.visitflow = options;
    build.transpile.push("visitflow");
    // In development Vite 7 and earlier would move the package's scripts away from its WebAssembly.
    vite.optimizeDeps = { ...vite.optimizeDeps, exclude: [...(vite.optimizeDeps?.exclude ?? []), "visitflow"] };
    addPlugin(createResolver(import.meta.url).resolve("./plugin.js"));
    addImports(["useConsent", "useUser", "useVisitflow"].map((name) => ({ name, from: "visitflow/vue" })));
    // Nuxt adds prefetch links for assets; before consent the WebAssembly must not be fetched.
    nuxt.hook("build:manifest", (manifest) => {
      for (const name in manifest) {
        if (/\bvisitflow\b.*\.wasm$/.test(name)) manifest[name].prefetch = false;
      }
    });
  },
});
