// What every door of the package shares: the functions that a page calls at any time, and the
// rule for when the WebAssembly is loaded at all. None of them throws into the page.
//
// Before consent (unless `beforeConsent` is "anonymous") nothing is fetched, stored or sent; only
// the landing page is kept in memory, so that a later consent can report it as it was.

import { resting } from "./resting.js";

/** Facts that wait for the WebAssembly; more are dropped. */
const CAP = 200;

const FACTS = ["pageView", "event", "order"];
const OTHERS = ["grant", "deny", "revoke", "login", "logout", "end"];

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

  const attempt = (run) => {
    try {
      return run();
    } catch (error) {
      complain(error);
    }
  };

  const granted = () => options.consent == "granted";
  const revoking = () => waiting.some(([name]) => name == "revoke");
  const isMarked = () => /(^|; )(visitor_id|last_activity)=/.test(document.cookie);
  const beacon = (path, body) => navigator.sendBeacon(options.endpoint + path, JSON.stringify(body));
  const setCookie = (text, domain = options.cookieDomain) => {
    document.cookie = text + "; Path=/; SameSite=Lax" + (domain ? "; Domain=" + domain : "");
  };

  // All calls pass through one list, so that none overtakes another.
  const call = (name, args, settle) => {
    const fact = FACTS.includes(name);
    if (core) return core.serially(() => make(name, args, settle));
    if (failed) {
      if (name == "revoke") forget();
      if (fact) dropped++;
      return settle?.(
        name != "revoke" &&
          "visitflow could not be loaded: check the connection and the page's Content-Security-Policy, then reload the page.",
      );
    }
    if (name == "revoke") {
      // It voids what waits: facts, and a grant that now never happened.
      waiting = waiting.filter(([other]) => (FACTS.includes(other) ? void dropped++ : other != "grant"));
    }
    // Without consent only views are of use, if the page asked for anonymous ones.
    if (fact && (!loading || waiting.length >= CAP || (name != "pageView" && !granted()))) dropped++;
    else waiting.push([name, args, settle]);
  };

  const make = (name, args, settle) => {
    try {
      core[name](...args, settle);
    } catch (error) {
      complain(error);
      settle?.(error);
    }
  };

  const ask = (name, ...args) => {
    boot();
    return new Promise((resolve, reject) =>
      call(name, args, (error, value) => (error ? reject(new Error(error)) : resolve(value))),
    );
  };

  const boot = () => {
    if (loading) return;
    const drain = () => waiting.splice(0).forEach((each) => call(...each));
    loading = active()
      .then(load)
      .then((exports) => {
        // Nothing is measured ahead of a revoke, even if a grant follows it.
        exports.init({ ...options, consent: revoking() ? "denied" : options.consent });
        core = exports;
        core.serially(drain);
      })
      .catch((error) => {
        complain(error);
        failed = true;
        drain();
      });
    addEventListener("pagehide", () => attempt(leave));
  };

  // Consent is taken back, and there is no WebAssembly to see to it. `Secure` is no part of what
  // names a cookie, and left out it is no hindrance on http://localhost.
  const forget = () => {
    if (isMarked()) beacon("/api/session/end", {});
    for (const name of ["visitor_id", "last_activity"]) {
      setCookie(name + "=; Max-Age=0");
      if (options.cookieDomain) setCookie(name + "=; Max-Age=0", "");
    }
    try {
      for (const key of Object.keys(localStorage)) if (/^visitflow:/.test(key)) localStorage.removeItem(key);
      const others = new BroadcastChannel("visitflow");
      others.postMessage(0);
      others.close();
    } catch {
      // Where storage is forbidden, nothing is stored.
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
    if (revoking()) return forget();
    if (document.prerendering || options.landingSent || options.autoPageViews === false || !granted()) return;
    let visitor_id = /(?:^|; )visitor_id=(v_[\da-f-]{36})/.exec(document.cookie)?.[1];
    if (!visitor_id && crypto.randomUUID) {
      visitor_id = "v_" + crypto.randomUUID();
      setCookie(`visitor_id=${visitor_id}; Max-Age=31536000; Secure`);
    }
    options.landingSent = beacon("/api/telemetry/page_view", {
      visitor_id,
      url: options.landingUrl,
      referrer: options.landingReferrer || undefined,
      age_ms: Date.now() - options.landingAt,
      site: options.site,
      webdriver: navigator.webdriver || undefined,
    });
  };

  // What a call does before, or instead of, what the WebAssembly does.
  const first = {
    grant() {
      if (options.objected) return;
      options.consent = "granted";
      if (loading) call("grant", []);
      else boot();
    },
    deny() {
      if (granted()) return first.revoke();
      options.consent = "denied";
      if (core) call("deny", []);
    },
    revoke() {
      options.consent = "denied";
      if (loading || isMarked()) return ask("revoke").catch(() => {});
    },
    end: () => loading && ask("end"),
  };
  for (const name of FACTS) {
    // As it is now: the page may change it while it waits.
    first[name] = (...args) => call(name, [Date.now(), location.href, ...JSON.parse(JSON.stringify(args))]);
  }

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
          landingUrl: location.href.replace(/#(?![/!]).*/, ""),
          landingReferrer: document.referrer,
          landingAt: Date.now(),
          complain,
        };
        if (granted() || options.anonymous) boot();
      });
      if (!options) {
        // With options that cannot be read nothing is measured.
        options = { consent: "denied", objected: true };
        loading = failed = true;
      }
      for (const run of early.splice(0)) run();
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

  for (const name of [...FACTS, ...OTHERS]) {
    api[name] = (...args) =>
      new Promise((resolve) => {
        const run = () => resolve(attempt(() => (first[name] ? first[name](...args) : ask(name, ...args))));
        options ? run() : early.push(run);
      });
  }
  return api;
}
