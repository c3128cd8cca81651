// Who is measured: the page's head, the files it loads, and what the collector answers.

import * as esbuild from "esbuild";
import { readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const cdn = new URL("../../pkg/dist/cdn/", import.meta.url);

/** One script of these lines, bundled and minified as a site would. */
async function bundle(contents) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: here },
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2021",
  });
  return Buffer.from(outputFiles[0].contents);
}

const tag = (name) => `<script defer src="/${name}.js"></script>`;

/** The files that a site's bundle of the package is: what is not needed at once is in files of its own. */
async function ownBundle(origin) {
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: `import { init } from "./index.js"; init({ consent: "granted", endpoint: "${origin}" });`,
      resolveDir: fileURLToPath(new URL("../../pkg/dist/", import.meta.url)),
      sourcefile: "site.js",
    },
    entryNames: "visitflow-npm",
    chunkNames: "visitflow-npm-[hash]",
    bundle: true,
    minify: true,
    splitting: true,
    write: false,
    format: "esm",
    target: "es2021",
    outdir: here,
  });
  return {
    ...Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)])),
    "visitflow.wasm": readFileSync(new URL("../../pkg/dist/visitflow.wasm", import.meta.url)),
  };
}

/** The package that a contestant is, with its version. */
const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version;

/**
 * `head` goes into the page; `files` are served by name; `view` is the path at which the first page view
 * arrives; `answers` are the collector's, by path: status and body.
 */
export async function contestants(origin) {
  const plausible = `
    import { init } from "@plausible-analytics/tracker";
    init({ domain: "shop.example", endpoint: "${origin}/api/event", captureOnLocalhost: true, logging: false });`;
  const snowplow = `
    import { enableActivityTracking, newTracker, trackPageView } from "@snowplow/browser-tracker";
    newTracker("sp", "${origin}", { appId: "shop" });
    enableActivityTracking({ minimumVisitLength: 30, heartbeatDelay: 10 });
    trackPageView();`;
  const { version: ownVersion } = JSON.parse(readFileSync(new URL("../../pkg/package.json", import.meta.url), "utf8"));
  const ours = {
    view: "/api/telemetry/page_view",
    answers: {
      "/api/session/start": [200, () => JSON.stringify({ session: "started", expires_in: 1800, now: Date.now() })],
      "/api/telemetry/page_view": [204],
      "/api/telemetry/event": [204],
      "/api/session/ping": [204],
    },
  };
  const own = Object.fromEntries(readdirSync(cdn).map((name) => [name, readFileSync(new URL(name, cdn))]));
  return [
    { name: "none", head: "", files: {}, answers: {} },
    {
      name: `visitflow ${ownVersion}`,
      head: `<script type="module" src="/visitflow-npm.js"></script>`,
      files: await ownBundle(origin),
      ...ours,
    },
    {
      name: `visitflow ${ownVersion}, script tag`,
      head: `<script defer src="/visitflow.js" data-consent="granted"></script>`,
      files: own,
      ...ours,
    },
    {
      name: `@plausible-analytics/tracker ${version("@plausible-analytics/tracker")}`,
      head: tag("plausible"),
      files: { "plausible.js": await bundle(plausible) },
      view: "/api/event",
      answers: { "/api/event": [202, () => "ok"] },
    },
    {
      name: `@snowplow/browser-tracker ${version("@snowplow/browser-tracker")}`,
      head: tag("snowplow"),
      files: { "snowplow.js": await bundle(snowplow) },
      view: "/com.snowplowanalytics.snowplow/tp2",
      answers: { "/com.snowplowanalytics.snowplow/tp2": [200, () => "ok"] },
    },
  ];
}
