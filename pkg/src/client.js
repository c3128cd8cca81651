// What every door of the package shares: the functions that a page calls at any time, and the
// rule for when the WebAssembly is loaded at all. None of them throws into the page.
//
// Before consent (unless `beforeConsent` is "anonymous") nothing is fetched, stored or sent; only
// the landing page is kept in memory, so that a later consent can report it as it was.

import { resting } from "./resting.js";

/** Facts that wait for the WebAssembly; more are dropped. */
const CAP = 200;

const FACTS = ["page_view", "event", "order"];
const COOKIES = /(^|; )(visitor_id|last_activity)=/;
const nothing = () => {};

/**
 * Makes the functions. `load` fetches the WebAssembly and resolves with its exports; `base` is
 * the default of the option `endpoint`.
 */
export function create(load, base) {
  let options; // set by init()
  let core; // the exports, once they are there, or `fallback` if they will not come
  let loading; // the promise of either
  let busy; // the list of calls is being worked off
  let objected; // the browser objects to being measured
  let spoken; // the one console line was said
  let dropped = 0;
  const early = []; // calls before init()
  const waiting = []; // calls before the exports are there: [name, args, resolve, reject]

  const complain = (error) => {
    if (!spoken) console.warn("visitflow:", error);
    spoken = true;
  };

  const attempt = (run, args) => {
    try {
      return run(...args);
    } catch (error) {
      complain(error);
    }
  };

  // All calls pass through one list, so that none overtakes another.
  const call = (name, args = [], resolve, reject) => {
    const fact = FACTS.includes(name);
    if (name == "revoke") {
      // It voids what waits: facts, and a grant that now never happened.
      for (const other of waiting.splice(0)) {
        if (FACTS.includes(other[0])) dropped++;
        else if (other[0] != "grant") waiting.push(other);
      }
    } else if (fact && !core) {
      // Without consent only views are of use, if the page asked for anonymous ones.
      if (!loading || waiting.length >= CAP || (name != "page_view" && !granted())) return void dropped++;
    }
    waiting.push([name, args, resolve, reject]);
    if (core) proceed();
  };

  const proceed = () => {
    if (busy) return;
    busy = true;
    for (let next; (next = waiting.shift()); ) {
      const [name, args, resolve, reject] = next;
      try {
        if (resolve) core[name](...args, resolve, reject);
        else core[name](...args);
      } catch (error) {
        complain(error);
        reject?.(error);
      }
    }
    busy = false;
  };

  const ask = (name, ...args) => {
    boot();
    return new Promise((resolve, reject) => call(name, args, resolve, reject));
  };

  const granted = () => options.consent == "granted";
  const revoking = () => waiting.some(([name]) => name == "revoke");

  const boot = () => {
    if (loading) return;
    loading = active()
      .then(load)
      .then((exports) => {
        // Nothing is measured ahead of a revoke, even if a grant follows it.
        exports.init({ ...options, consent: revoking() ? "denied" : options.consent });
        core = exports;
      })
      .catch((error) => {
        complain(error);
        core = fallback;
      })
      .then(proceed);
    addEventListener("pagehide", () => attempt(leave, []));
  };

  // Consent is taken back, and there is no WebAssembly to see to it. `Secure` is no part of what
  // names a cookie, and left out it is no hindrance on http://localhost.
  const forget = () => {
    if (COOKIES.test(document.cookie)) navigator.sendBeacon(options.endpoint + "/api/session/end", "{}");
    for (const name of ["visitor_id", "last_activity"]) {
      const gone = name + "=; Max-Age=0; Path=/; SameSite=Lax";
      document.cookie = gone;
      if (options.cookieDomain) document.cookie = gone + "; Domain=" + options.cookieDomain;
    }
  };

  const lose = () => void dropped++;
  const refuse = (...args) =>
    args.pop()(
      new Error("visitflow could not be loaded: check the connection and the page's Content-Security-Policy, then reload the page."),
    );

  // Stands in for the exports if they cannot be loaded.
  const fallback = {
    grant: nothing,
    deny: nothing,
    revoke(resolve) {
      resolve();
      forget();
    },
    page_view: lose,
    event: lose,
    order: lose,
    login: refuse,
    logout: refuse,
    end: refuse,
  };

  // A page that is rendered ahead of its visit is no view before it is shown.
  const active = () =>
    new Promise((resolve) => {
      if (!document.prerendering) return resolve();
      const shown = () => {
        options.landingAt = Date.now();
        resolve();
      };
      document.addEventListener("prerenderingchange", shown, { once: true });
    });

  // The page may leave before the WebAssembly is ready: its view is sent all the same.
  const leave = () => {
    if (core && core != fallback) return;
    if (revoking() && !granted()) return forget();
    if (document.prerendering || options.landingSent || !options.autoPageViews || !granted()) return;
    let visitor = /(?:^|; )visitor_id=(v_[\da-f-]{36})/.exec(document.cookie)?.[1];
    if (!visitor && crypto.randomUUID) {
      visitor = "v_" + crypto.randomUUID();
      const domain = options.cookieDomain ? "; Domain=" + options.cookieDomain : "";
      document.cookie = `visitor_id=${visitor}; Max-Age=31536000; Path=/${domain}; Secure; SameSite=Lax`;
    }
    options.landingSent = navigator.sendBeacon(
      options.endpoint + "/api/telemetry/page_view",
      JSON.stringify({
        visitor_id: visitor,
        url: options.landingUrl,
        referrer: options.landingReferrer || undefined,
        age_ms: Date.now() - options.landingAt,
        site: options.site,
        webdriver: navigator.webdriver || undefined,
      }),
    );
  };

  const commands = {
    grant() {
      if (objected) return;
      options.consent = "granted";
      if (loading) call("grant");
      else boot();
    },
    deny() {
      const before = options.consent;
      options.consent = "denied";
      if (before == "granted") call("revoke", [], nothing, nothing);
      else if (core) call("deny");
    },
    pageView(url) {
      call("page_view", [url == null ? undefined : new URL(url, location.href).href, Date.now()]);
    },
    event(name, props) {
      call("event", [String(name), props == null ? undefined : JSON.stringify(props), Date.now()]);
    },
    order({ id, amount, currency, items }) {
      const lines = items == null ? undefined : JSON.stringify(items);
      call("order", [String(id), String(amount), String(currency), lines, Date.now()]);
    },
  };

  // These answer with a promise.
  const questions = {
    revoke() {
      options.consent = "denied";
      if (!loading && !COOKIES.test(document.cookie)) return;
      return ask("revoke").catch(nothing);
    },
    login: (username, password) => ask("login", String(username), String(password)),
    logout: () => ask("logout"),
    end: () => (loading ? ask("end") : undefined),
  };

  const api = {
    init(given = {}) {
      if (options) return;
      attempt(() => {
        options = {
          ...given,
          endpoint: new URL(given.endpoint || base(), location.href).href.replace(/\/+$/, ""),
          autoPageViews: given.autoPageViews !== false,
          pingIntervalMs: Math.max(1000, given.pingIntervalMs || 15000),
          landingUrl: location.href,
          landingReferrer: document.referrer,
          landingAt: Date.now(),
          landingSent: false,
          complain,
        };
        objected =
          (options.gpc != "ignore" && navigator.globalPrivacyControl) ||
          (options.dnt == "honour" && navigator.doNotTrack == "1");
        if (objected) options.consent = "denied";
        if (granted() || options.beforeConsent == "anonymous") boot();
        for (const run of early.splice(0)) run();
      }, []);
    },
    snapshot: () =>
      Promise.resolve(loading)
        .then(() => {
          const told = core.snapshot();
          told.dropped += dropped;
          return told;
        })
        .catch(() => resting(options?.consent, dropped)),
  };

  for (const name in commands) {
    api[name] = (...args) => {
      const run = () => attempt(commands[name], args);
      return options ? run() : void early.push(run);
    };
  }
  for (const name in questions) {
    api[name] = (...args) =>
      new Promise((resolve) => {
        const run = () => resolve(attempt(questions[name], args));
        options ? run() : early.push(run);
      });
  }
  return api;
}
