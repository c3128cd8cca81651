// visitflow/react where there is no page: what a server renders. What it does in a page, in
// StrictMode too, is seen in a browser (tests/tests/all/examples).

import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement, Fragment, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import * as visitflow from "visitflow";
import * as react from "visitflow/react";
import { watched } from "./globals.js";

const { VisitflowProvider, useConsent, useVisitflow } = react;
const Told = () => createElement("p", null, useConsent().consent);
const render = (props, child = Told) =>
  renderToString(createElement(StrictMode, null, createElement(VisitflowProvider, props, createElement(child))));

test("importing and rendering read no globals", async () => {
  const [html, read] = await watched(async () => {
    const fresh = await import("../react/index.js?globals");
    return renderToString(createElement(fresh.VisitflowProvider, { consent: "granted" }, "text"));
  });
  assert.equal(html, "text");
  assert.deepEqual(read, []);
});

test("a server renders the consent that the site remembers", () => {
  assert.equal(render({ consent: "granted" }), "<p>granted</p>");
  assert.equal(render({ consent: "denied", options: { consent: "granted" } }), "<p>denied</p>");
  assert.equal(render({ options: { consent: "granted" } }), "<p>granted</p>");
  assert.equal(render({}), "<p>pending</p>");
});

test("the hook gives all functions but init, and the same ones at each rendering", () => {
  const seen = new Set();
  const Twice = () => {
    const functions = useVisitflow();
    seen.add(functions);
    return createElement(Fragment);
  };
  renderToString(createElement(VisitflowProvider, {}, createElement(Twice), createElement(Twice)));
  assert.equal(seen.size, 1);
  const [functions] = seen;
  assert.deepEqual([...Object.keys(functions), "init"].sort(), Object.keys(visitflow).sort());
});

test("on a server nobody is known yet, and there is no list", () => {
  const Who = () => createElement("p", null, JSON.stringify(react.useUser()));
  assert.equal(render({}, Who), `<p>${JSON.stringify({ status: "loading", user: null, session: null }).replaceAll('"', "&quot;")}</p>`);
  assert.equal(render({}, react.Sessions), "");
});

test("a server shows nothing of a visitor's data", () => {
  assert.equal(render({}, react.YourData), '<section class="visitflow-your-data" aria-busy="true"></section>');
});

test("a hook without a provider says what to do", () => {
  const alone = () => renderToString(createElement(Told));
  assert.throws(alone, /useConsent\(\) is called outside of <VisitflowProvider>: put one around the app/);
});
