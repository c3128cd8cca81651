// The kits in a page: what they show, what they call, and what they leave behind.

import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import { Window } from "happy-dom";

const window = new Window();
for (const name of ["Node", "Text", "Element", "HTMLElement", "SVGElement", "Comment", "HTMLIFrameElement", "MouseEvent", "Event"]) {
  globalThis[name] = window[name];
}
register("./mounted/hooks.js", import.meta.url);

const turn = () => new Promise(setImmediate);
// React works in tasks of its own, of which each may ask for another.
const settled = async () => {
  for (let n = 0; n < 20; n++) await turn();
};
const attached = (html = "") => {
  const root = window.document.createElement("div");
  root.innerHTML = html;
  window.document.body.append(root);
  return root;
};

// Each kit of a page: `render(settings)` as a server does, `mount(root, settings, isRendered)` as a browser does, which
// returns the function that unmounts.
const kits = {
  async react(page) {
    const { createElement: h, StrictMode } = await import("react");
    const { VisitflowProvider, useConsent } = await import(`../react/index.js?page=${page}`);
    const Banner = () => (({ consent }) => consent && h("p", null, consent))(useConsent());
    const app = (settings) => h(StrictMode, null, h(VisitflowProvider, settings, h(Banner)));
    return {
      async render(settings) {
        return (await import("react-dom/server")).renderToString(app(settings));
      },
      async mount(root, settings, isRendered, onRecoverableError) {
        const { createRoot, hydrateRoot } = await import("react-dom/client");
        const react = isRendered ? hydrateRoot(root, app(settings), { onRecoverableError }) : createRoot(root);
        if (!isRendered) react.render(app(settings));
        await settled();
        return async () => {
          react.unmount();
          await settled();
        };
      },
    };
  },

  async vue(page) {
    const { createApp, createSSRApp, h } = await import("vue");
    const { createVisitflow, useConsent } = await import(`../vue/index.js?page=${page}`);
    const setup = () => (({ consent }) => () => (consent.value ? h("p", consent.value) : null))(useConsent());
    return {
      async render(settings) {
        const { renderToString } = await import("vue/server-renderer");
        return renderToString(createSSRApp({ setup }).use(createVisitflow(settings)));
      },
      async mount(root, settings, isRendered) {
        const app = (isRendered ? createSSRApp : createApp)({ setup }).use(createVisitflow(settings));
        await turn(); // as an app that waits for its router
        app.mount(root);
        await turn();
        return () => app.unmount();
      },
    };
  },

  async svelte(page) {
    const { default: App } = await import(`./mounted/App.svelte?page=${page}`);
    return {
      async render(settings) {
        return (await import("svelte/server")).render(App, { props: { settings } }).body;
      },
      async mount(root, settings, isRendered) {
        const { hydrate, mount, unmount } = await import(`./mounted/svelte.js?page=${page}`);
        const app = (isRendered ? hydrate : mount)(App, { target: root, props: { settings } });
        await turn();
        return () => unmount(app);
      },
    };
  },
};


let pages = 0;

async function page(t, name) {
  const number = ++pages;
  const client = await import(`./mounted/client.js?page=${number}`);
  t.mock.method(console, "warn", (...all) => assert.fail(all.join(" ")));
  t.mock.method(console, "error", (...all) => assert.fail(all.join(" ")));
  const { document, navigator } = window;
  for (const [name, value] of Object.entries({ window, document, navigator })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  return { client, kit: await kits[name](number) };
}

/** What a server renders. */
async function rendered(name, settings) {
  delete globalThis.window;
  delete globalThis.document;
  return (await kits[name]("server")).render(settings);
}

for (const name of Object.keys(kits)) {
  const text = (root) => root.textContent.trim();
  // These share the globals of one page, so they take turns.
  test(name, async (t) => {
    await t.test("a decision that the client remembers is shown, and the question never is", async (t) => {
      for (const consent of ["granted", "denied"]) {
        const { client, kit } = await page(t, name);
        client.memory.consent = consent;
        const root = attached();
        const seen = [];
        const observer = new window.MutationObserver(() => seen.push(text(root)));
        observer.observe(root, { childList: true, subtree: true, characterData: true });
        const decided = [];
        const unmount = await kit.mount(root, { options: { rememberConsent: true }, onConsentChange: (next) => decided.push(next) });
        await settled();
        assert.equal(text(root), consent);
        assert.ok(!seen.includes("pending"), seen.join());
        assert.deepEqual(decided, []);
        await unmount();
      }
    });

    await t.test("where the client remembers nothing the question is asked", async (t) => {
      const { kit } = await page(t, name);
      const root = attached();
      const unmount = await kit.mount(root, { options: { rememberConsent: true } });
      await settled();
      assert.equal(text(root), "pending");
      await unmount();
    });

    await t.test("a server leaves open what the client remembers, and hydration finds no difference", async (t) => {
      const settings = { options: { rememberConsent: true } };
      const html = await rendered(name, settings);
      assert.ok(!html.includes("<p>"), html);
      const { client, kit } = await page(t, name);
      client.memory.consent = "granted";
      const root = attached(html);
      const unmount = await kit.mount(root, settings, true, (error) => assert.fail(error));
      await settled();
      assert.equal(text(root), "granted");
      await unmount();
    });

    await t.test("a decision made before the client is asked counts", async (t) => {
      const { client, kit } = await page(t, name);
      const root = attached();
      const mounted = kit.mount(root, { options: { rememberConsent: true } });
      client.grant();
      const unmount = await mounted;
      await settled();
      assert.equal(text(root), "granted");
      await unmount();
    });

    await t.test("one listener hears of decisions made elsewhere, and none once it is unmounted", async (t) => {
      const { client, kit } = await page(t, name);
      const root = attached();
      const decided = [];
      const settings = { consent: "pending", onConsentChange: (next) => decided.push(next) };
      for (let times = 1; times <= 2; times++) {
        const unmount = await kit.mount(root, settings);
        await settled();
        assert.equal(client.listeners.size, 1);
        client.grant();
        client.deny();
        await settled();
        assert.deepEqual(decided.splice(0), ["granted", "denied"]);
        assert.equal(text(root), "denied");
        await unmount();
        assert.equal(client.listeners.size, 0);
        client.grant();
        assert.deepEqual(decided, []);
        client.deny();
      }
      assert.ok(client.calls.filter((call) => !call.startsWith("init")).every((call) => /grant|deny/.test(call)));
    });
  });
}

test("a Vue page that was rendered for all visitors hydrates, and then shows what this one decided", async (t) => {
  const html = await rendered("vue", { consent: "pending", rendered: null });
  assert.ok(!html.includes("<p>"), html);
  const { client, kit } = await page(t, "vue");
  const root = attached(html);
  const unmount = await kit.mount(root, { consent: "granted", rendered: null }, true);
  assert.equal(root.textContent, "granted");
  assert.deepEqual(client.calls, ["init granted"]);
  await unmount();
});
