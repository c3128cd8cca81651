// What every door of the package shares: the functions that a page calls at any time, and the
// rule for when the WebAssembly is loaded at all. None of them throws into the page.
//
// Before consent (unless `beforeConsent` is "anonymous") nothing is fetched, stored or sent; only
// the landing page is kept in memory, so that a later consent can report it as it was.

import { resting } from "./resting.js";

/** Facts that wait for the WebAssembly; more are dropped. */
const CAP = 200;

/**
 * Makes the functions. `load` fetches the WebAssembly and resolves with its exports; `base` is
 * the default of the option `endpoint`.
 */
export function create(load, base) {
  let options; // set by init()
  let core; // the exports, once they are there
  let loading; // the promise that they are
  let objected; // the browser objects to being measured
  let spoken; // the one console line was said
  let dropped = 0;
  const early = []; // calls before init()
  const waiting = []; // calls before the exports are there

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

  const call = (name, ...args) => {
    if (core) core[name](...args);
    else if (loading && waiting.length < CAP) waiting.push([name, args]);
    else dropped++;
  };

  const ask = (name, ...args) => {
    boot();
    return loading.then(() => new Promise((resolve, reject) => core[name](...args, resolve, reject)));
  };

  const granted = () => options.consent == "granted";

  const boot = () => {
    if (loading) return;
    loading = active()
      .then(load)
      .then((exports) => {
        exports.init(options);
        core = exports;
        for (const [name, args] of waiting.splice(0)) core[name](...args);
      });
    loading.catch(complain);
    addEventListener("pagehide", () => attempt(leave, []));
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
    if (core || document.prerendering || options.landingSent || !options.autoPageViews || !granted()) return;
    options.landingSent = true;
    let visitor = /(?:^|; )visitor_id=(v_[\da-f-]{36})/.exec(document.cookie)?.[1];
    if (!visitor && crypto.randomUUID) {
      visitor = "v_" + crypto.randomUUID();
      const domain = options.cookieDomain ? "; Domain=" + options.cookieDomain : "";
      document.cookie = `visitor_id=${visitor}; Max-Age=31536000; Path=/${domain}; Secure; SameSite=Lax`;
    }
    navigator.sendBeacon(
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
      options.consent = "denied";
      if (loading) call("deny");
    },
    pageView(url) {
      call("page_view", url == null ? undefined : new URL(url, location.href).href, Date.now());
    },
    event(name, props) {
      call("event", String(name), props == null ? undefined : JSON.stringify(props), Date.now());
    },
    order({ id, amount, currency, items }) {
      const lines = items == null ? undefined : JSON.stringify(items);
      call("order", String(id), String(amount), String(currency), lines, Date.now());
    },
  };

  // These answer with a promise.
  const questions = {
    revoke() {
      options.consent = "denied";
      if (!loading && !/(^|; )(visitor_id|last_activity)=/.test(document.cookie)) return;
      return ask("revoke").catch(() => {});
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
