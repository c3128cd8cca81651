// visitflow/svelte where there is no page: what a server renders. What it does in a page is seen in a browser
// (tests/tests/all/examples).

import assert from "node:assert/strict";
import { test } from "node:test";
import { render } from "svelte/server";
import * as visitflow from "visitflow";
import * as svelte from "visitflow/svelte";
import { watched } from "./globals.js";

const { setVisitflow, useConsent, useUser, useVisitflow } = svelte;

// What Svelte compiles a component to, for a server.
const component = (tell, settings) => (output) => {
  output.component((output) => {
    if (settings) setVisitflow(settings);
    output.push(`<p>${tell()}</p>`);
  });
};
const told = () => useConsent().consent;
const body = (...all) => render(component(...all)).body.replaceAll(/<!--.*?-->/g, "");

test("importing and rendering read no globals", async () => {
  const [html, read] = await watched(async () => {
    const fresh = await import("../svelte/index.js?globals");
    const inner = () => (fresh.setVisitflow({ consent: "granted" }), "text");
    return render(component(inner)).body.replaceAll(/<!--.*?-->/g, "");
  });
  assert.equal(html, "<p>text</p>");
  assert.deepEqual(read, []);
});

test("a server renders the consent that the site remembers for this request", () => {
  assert.equal(body(told, { consent: "granted" }), "<p>granted</p>");
  assert.equal(body(told, { consent: () => "denied", options: { consent: "granted" } }), "<p>denied</p>");
  assert.equal(body(told, { consent: () => undefined, options: { consent: "granted" } }), "<p>granted</p>");
  assert.equal(body(told, {}), "<p>pending</p>");
});

test("components get all functions but init", () => {
  const names = () => [...Object.keys(useVisitflow()), "init"].sort().join();
  assert.equal(body(names, {}), `<p>${Object.keys(visitflow).sort().join()}</p>`);
});

test("on a server nobody is known yet", () => {
  assert.equal(body(() => [useUser().status, useUser().user, useUser().session].join(), {}), "<p>loading,,</p>");
});

test("a component without a root layout that calls setVisitflow is told so", () => {
  assert.throws(() => body(told), /useConsent\(\) is called outside of a component that called setVisitflow\(\): call it in the root layout/);
});
