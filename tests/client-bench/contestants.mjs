// Who is measured: the page's head, the files it loads, and what the collector answers.

import * as esbuild from "esbuild";
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const cdn = new URL("../../pkg/dist/cdn/", import.meta.url);

/**
 * The files that a site's bundle of these lines is, minified: of modules, so that what is not needed at once
 * is in files of its own; or one `classic` script.
 */
async function bundle(name, contents, { resolveDir = here, classic } = {}) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir, sourcefile: "site.js" },
    entryNames: name,
    chunkNames: `${name}-[hash]`,
    bundle: true,
    minify: true,
    splitting: !classic,
    write: false,
    format: classic ? "iife" : "esm",
    target: "es2021",
    outdir: here,
  });
  return Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]));
}

const module = (name) => `<script type="module" src="/${name}.js"></script>`;
const script = (name) => `<script defer src="/${name}.js"></script>`;

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
  const plausibleName = `@plausible-analytics/tracker ${version("@plausible-analytics/tracker")}`;
  const plausibleCollector = { view: "/api/event", answers: { "/api/event": [202, () => "ok"] } };
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
  const dist = fileURLToPath(new URL("../../pkg/dist/", import.meta.url));
  const npm = `import { init } from "./index.js"; init({ consent: "granted", endpoint: "${origin}" });`;
  const own = Object.fromEntries(readdirSync(cdn).map((name) => [name, readFileSync(new URL(name, cdn))]));
  return [
    { name: "none", head: "", files: {}, answers: {} },
    {
      name: `visitflow ${ownVersion}`,
      head: module("visitflow-npm"),
      files: {
        ...(await bundle("visitflow-npm", npm, { resolveDir: dist })),
        "visitflow.wasm": readFileSync(join(dist, "visitflow.wasm")),
      },
      ...ours,
    },
    {
      name: `visitflow ${ownVersion}, script tag`,
      head: `<script defer src="/visitflow.js" data-consent="granted"></script>`,
      files: own,
      ...ours,
    },
    { name: plausibleName, head: module("plausible"), files: await bundle("plausible", plausible), ...plausibleCollector },
    {
      name: `${plausibleName}, classic script`,
      head: script("plausible"),
      files: await bundle("plausible", plausible, { classic: true }),
      ...plausibleCollector,
    },
    {
      name: `@snowplow/browser-tracker ${version("@snowplow/browser-tracker")}`,
      head: module("snowplow"),
      files: await bundle("snowplow", snowplow),
      view: "/com.snowplowanalytics.snowplow/tp2",
      answers: { "/com.snowplowanalytics.snowplow/tp2": [200, () => "ok"] },
    },
  ];
}
