// visitflow for Astro: an integration that starts the client on every page, with view transitions too.

export default function visitflow(options = {}) {
  return {
    name: "visitflow",
    hooks: {
      "astro:config:setup"({ injectScript, updateConfig }) {
        if (typeof options.before == "function") {
          throw new Error("visitflow: the configuration cannot carry a function to the page; give `before` the name of a global one.");
        }
        // In development Vite 7 and earlier would move the package's scripts away from its WebAssembly.
        updateConfig({ vite: { optimizeDeps: { exclude: ["visitflow"] }, ssr: { noExternal: ["visitflow"] } } });
        injectScript("page", `import { begin } from "visitflow/astro/client"; begin(${JSON.stringify(options)});`);
      },
    },
  };
}
