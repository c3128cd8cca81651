// A page made of stand-ins for the built files: the loader, the core, and the fallback.

import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const dist = new URL("../dist/", import.meta.url);
const loader = readFileSync(new URL("cdn/visitflow.js", dist), "utf8").replaceAll("import(", "imported(");
export const wasm = readFileSync(new URL("visitflow.wasm", dist));

export const ADA = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";
export const LIVE = { visitor_id: ADA, last_activity: String(Date.now()) };

const stand = (globals) => {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
  }
};

/** A page; `requests` is what it sends: path and body. */
export function open({ href = "https://shop.example/landing", referrer = "", title = "A page", cookies = {}, webdriver, hints, data = {}, storage = {} }) {
  const jar = new Map(Object.entries(cookies));
  const requests = [];
  const browser = new EventTarget();
  const send = (url, body) => requests.push([new URL(url).pathname, JSON.parse(body)]);
  stand({
    requests,
    document: {
      title,
      referrer,
      hidden: false,
      hasFocus: () => true,
      documentElement: { scrollHeight: 1000 },
      currentScript: { src: "https://stats.example/visitflow.js", dataset: { consent: "granted", ...data } },
      get cookie() {
        return [...jar].map((pair) => pair.join("=")).join("; ");
      },
      set cookie(text) {
        const [, name, value] = /^(.+?)=(.*?);/.exec(text);
        if (/Max-Age=0/.test(text)) jar.delete(name);
        else jar.set(name, value);
      },
    },
    location: new URL(href),
    history: { length: 1, pushState() {}, replaceState() {} },
    navigator: {
      language: "en",
      webdriver,
      userAgentData: hints && { platform: "Linux", mobile: false, brands: [{ brand: "B", version: "1" }] },
      locks: { request: async (_, run) => run() },
      sendBeacon: (url, body) => !!send(url, body),
    },
    fetch: async (url, { body }) => {
      send(url, body);
      const start = /start$/.test(url);
      return new Response(start ? '{"session":"started"}' : null, { status: start ? 200 : 204 });
    },
    localStorage: storage,
    screen: { width: 800, height: 600 },
    innerWidth: 700,
    innerHeight: 500,
    scrollY: 0,
    frameElement: null,
    self: globalThis,
    window: globalThis,
    visitflow: undefined,
    navigation: new EventTarget(),
    addEventListener: (...all) => browser.addEventListener(...all),
    removeEventListener: (...all) => browser.removeEventListener(...all),
    BroadcastChannel: class {
      postMessage() {}
      close() {}
    },
  });
  return { browser, requests };
}

/** Runs the loader; resolves with what it hands to the core. */
export const handed = (situation) =>
  new Promise((resolve) => {
    globalThis.imported = async () => ({ default: (options, waiting) => (resolve({ options, waiting }), new Promise(() => {})) });
    runInThisContext(loader);
    for (const [name, ...args] of situation.calls ?? []) globalThis.visitflow(name, ...args);
  });

export const facts = (requests) => requests.filter(([path]) => path.startsWith("/api/telemetry/")).flatMap(([, body]) => body);
