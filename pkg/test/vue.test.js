// visitflow/vue where there is no page: what a server renders. What it does in a page is seen in a browser
// (tests/tests/all/examples).

import assert from "node:assert/strict";
import { test } from "node:test";
import * as visitflow from "visitflow";
import * as vue from "visitflow/vue";
import { createRenderer, createSSRApp, h, ref } from "vue";
import { renderToString } from "vue/server-renderer";
import { watched } from "./globals.js";

const { createVisitflow, useConsent, useUser, useVisitflow } = vue;

/** What a component is rendered as, whose text is what `tell` returns in its setup. */
const render = (tell, settings) =>
  renderToString(createSSRApp({ setup: () => ((told) => () => h("p", told))(tell()) }).use(createVisitflow(settings)));
const told = () => useConsent().consent.value;

test("importing reads no globals, and rendering asks only whether there is a window", async () => {
  const [html, read] = await watched(async () => {
    const fresh = await import("../vue/index.js?globals");
    return renderToString(createSSRApp({ render: () => "text" }).use(fresh.createVisitflow({ consent: "granted" })));
  });
  assert.equal(html, "text");
  assert.deepEqual(read.map((stack) => stack.split("\n")[0]), ["Error: window"]);
});

test("a server renders the consent that the site remembers for this request", async () => {
  const rendered = await Promise.all([
    render(told, { consent: "granted" }),
    render(told, { consent: ref("denied"), options: { consent: "granted" } }),
    render(told, { consent: () => undefined, options: { consent: "granted" } }),
    render(told),
  ]);
  assert.deepEqual(rendered, ["<p>granted</p>", "<p>denied</p>", "<p>granted</p>", "<p>pending</p>"]);
});

test("components get all functions but init, and so do templates", async () => {
  const app = createSSRApp({
    setup() {
      assert.deepEqual([...Object.keys(useVisitflow()), "init"].sort(), Object.keys(visitflow).sort());
      assert.equal(useVisitflow(), useVisitflow());
    },
    render() {
      return typeof this.$visitflow.event;
    },
  });
  assert.equal(await renderToString(app.use(createVisitflow())), "function");
});

test("on a server nobody is known yet", async () => {
  const who = () => {
    const { status, user, session } = useUser();
    return JSON.stringify([status.value, user.value, session.value]);
  };
  assert.equal(await render(who), "<p>[&quot;loading&quot;,null,null]</p>");
});

test("useUser asks once the component is in the page, and follows the answer", async (t) => {
  globalThis.document = { visibilityState: "visible", addEventListener() {}, removeEventListener() {} };
  t.after(() => delete globalThis.document);
  const nothing = () => {};
  const node = () => ({});
  const { createApp } = createRenderer({
    insert: nothing, remove: nothing, patchProp: nothing, setText: nothing, setElementText: nothing,
    createElement: node, createText: node, createComment: node, parentNode: nothing, nextSibling: nothing,
  });
  const seen = [];
  const app = createApp({
    setup() {
      const { status } = useUser();
      return () => void seen.push(status.value);
    },
  });
  app.use(createVisitflow()).mount(node());
  await new Promise(setImmediate);
  assert.deepEqual(seen, ["loading", "signed-out"]);
  app.unmount();
});

// The last one: after a setup that failed Vue takes itself for a server for ever.
test("a composable without the plugin says what to do", async () => {
  const alone = createSSRApp({ setup: () => useConsent(), render: () => "" });
  alone.config.warnHandler = () => {};
  await assert.rejects(renderToString(alone), /useConsent\(\) is called without the plugin: app\.use\(createVisitflow\(\)\)/);
});
