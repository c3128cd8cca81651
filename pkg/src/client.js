// What every door of the package shares: the functions that a page calls at any time, and the
// rule for when the WebAssembly is loaded at all. None of them throws into the page.
//
// Before consent (unless `beforeConsent` is "anonymous") nothing is fetched, stored or sent; only
// the landing page is kept in memory, so that a later consent can report it as it was.

import { resting } from "./resting.js";

/** Facts that wait for the WebAssembly; more are dropped. */
const CAP = 200;

const COOKIES = /(^|; )(visitor_id|last_activity)=/;
const FACTS = ["pageView", "event", "order"];
const nothing = () => {};

/**
 * Makes the functions. `load` fetches the WebAssembly and resolves with its exports; `base` is
 * the default of the option `endpoint`.
 */
export function create(load, base) {
  let options; // set by init()
  let core; // the exports, once they are there
  let failed; // they will not come
  let loading; // the promise of either
  let spoken; // the one console line was said
  let dropped = 0;
  const early = []; // calls before init()
  let waiting = []; // calls before the exports are there: [name, args, settle]

  const complain = (error) => {
    if (!spoken) console.warn("visitflow:", error);
    spoken = true;
  };

  const attempt = (run, ...args) => {
    try {
      return run(...args);
    } catch (error) {
      complain(error);
    }
  };

  const granted = () => options.consent == "granted";
  const revoking = () => waiting.some(([name]) => name == "revoke");

  // All calls pass through one list, so that none overtakes another.
  const call = (name, args = [], settle) => {
    if (core) return core.serially(() => make(name, args, settle));
    if (failed) return refuse(name, args, settle);
    if (name == "revoke") {
      // It voids what waits: facts, and a grant that now never happened.
      waiting = waiting.filter(([other]) => (FACTS.includes(other) ? void dropped++ : other != "grant"));
    } else if (FACTS.includes(name)) {
      // Without consent only views are of use, if the page asked for anonymous ones.
      if (!loading || waiting.length >= CAP || (name != "pageView" && !granted())) return void dropped++;
    }
    waiting.push([name, args, settle]);
  };

  const make = (name, args, settle) => {
    try {
      core[name](...args, settle);
    } catch (error) {
      complain(error);
      settle?.(error);
    }
  };

  // There is no WebAssembly.
  const refuse = (name, args, settle) => {
    if (name == "revoke") forget();
    if (FACTS.includes(name)) dropped++;
    settle?.(
      name != "revoke" &&
        "visitflow could not be loaded: check the connection and the page's Content-Security-Policy, then reload the page.",
    );
  };

  const ask = (name, ...args) => {
    boot();
    return new Promise((resolve, reject) =>
      call(name, args, (error, value) => (error ? reject(error.stack ? error : new Error(error)) : resolve(value))),
    );
  };

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
        failed = true;
      })
      .then(() => {
        const run = () => waiting.splice(0).forEach((each) => call(...each));
        core ? core.serially(run) : run();
      });
    addEventListener("pagehide", () => attempt(leave));
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
    if (core) return;
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
      if (options.objected) return;
      options.consent = "granted";
      if (loading) call("grant");
      else boot();
    },
    deny() {
      const before = options.consent;
      options.consent = "denied";
      if (before == "granted") call("revoke", [], nothing);
      else if (core) call("deny");
    },
  };
  for (const name of FACTS) {
    // As it is now: the page may change it while it waits.
    commands[name] = (...args) => call(name, [Date.now(), location.href, ...JSON.parse(JSON.stringify(args))]);
  }

  // These answer with a promise.
  const questions = {
    revoke() {
      options.consent = "denied";
      if (!loading && !COOKIES.test(document.cookie)) return;
      return ask("revoke").catch(nothing);
    },
    login: (username, password) => ask("login", username, password),
    logout: () => ask("logout"),
    end: () => (loading ? ask("end") : undefined),
  };

  const api = {
    init(given = {}) {
      if (options) return;
      attempt(() => {
        const objected =
          (given.gpc != "ignore" && navigator.globalPrivacyControl) ||
          (given.dnt == "honour" && navigator.doNotTrack == "1");
        options = {
          ...given,
          endpoint: new URL(given.endpoint || base(), location.href).href.replace(/\/+$/, ""),
          consent: objected ? "denied" : given.consent || "pending",
          anonymous: given.beforeConsent == "anonymous",
          objected: !!objected,
          autoPageViews: given.autoPageViews !== false,
          pingIntervalMs: Math.max(1000, given.pingIntervalMs || 15000),
          landingUrl: location.href,
          landingReferrer: document.referrer,
          landingAt: Date.now(),
          landingSent: false,
          complain,
        };
        if (granted() || options.anonymous) boot();
        for (const run of early.splice(0)) run();
      });
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

  const later = (run) => (options ? run() : void early.push(run));
  for (const name in commands) api[name] = (...args) => later(() => attempt(commands[name], ...args));
  for (const name in questions) {
    api[name] = (...args) => new Promise((resolve) => later(() => resolve(attempt(questions[name], ...args))));
  }
  return api;
}
