// What every door of the package shares: the functions that a page calls at any time, and the
// rule for when the WebAssembly is loaded at all. None of them throws into the page.
//
// Before consent (unless `beforeConsent` is "anonymous") nothing is fetched, stored or sent; only
// the landing page is kept in memory, so that a later consent can report it as it was.

import { resting } from "./resting.js";

/**
 * Makes the functions; `init` is to be called first. `load("", options, facts)` fetches the WebAssembly and
 * resolves with its exports (wired.js) once they may be used, `load("debug-", options)` has debug.js explain
 * them, `load("session-", options, name, …)` calls a function of session.js; `base` is the default of the option `endpoint`.
 */
export function create(load, base) {
  let options; // set by init()
  let objected; // the browser itself objects, and that is honoured
  let core; // the exports, once they are there
  let loading; // the promise of that
  let spoken; // the one console line was said
  let dropped = 0;
  let landing; // the view of the page as it was
  let waiting = []; // facts, until the exports are there: [name, at, href, given, stored, fact]; the last two by core.js

  const complain = (error) => {
    spoken ||= [console.warn("visitflow:", error)];
  };

  const attempt = (run) => {
    try {
      return run();
    } catch (error) {
      complain(error);
    }
  };

  // An attribute without a value is on, too.
  const on = (option) => !/^(false|undefined|null)$/.test(option);
  const granted = () => options.consent == "granted";
  // Without consent only views are of use, if the page asked for anonymous ones.
  const measured = (view = true) => granted() || (options.beforeConsent == "anonymous" && view);
  // A cookie of this form: that of the visitor, or (1) the hint. One of another form is somebody else's. A page
  // in a sandbox may not look at cookies.
  const held = (at, form) =>
    attempt(() => document.cookie.match(`(^| )${options.names[at].replace(/\W/g, "\\$&")}=(${form})(;|$)`)?.[2]);
  const visitor = () => held(0, "v_[^;]+");
  // No domain is none: an empty attribute is ignored (RFC 6265 §5.2.3).
  const setCookie = (text, domain = "") => {
    attempt(() => (document.cookie = text + "; Path=/; SameSite=Lax; Domain=" + domain));
  };

  const beacon = (path, body) => navigator.sendBeacon(options.endpoint + path, JSON.stringify(body));

  const decide = (choice) => {
    options.consent = choice;
    options.known = 0;
    if (on(options.rememberConsent)) attempt(() => (localStorage.visitflow_consent = choice));
  };

  // As it is now: the page may change it while it waits. More than 200 do not wait.
  const fact = (name, given) => {
    const call = [name, Date.now(), location.href, JSON.parse(JSON.stringify(given))];
    if (core) core.call(...call);
    else if (measured(given.url) && waiting.length < 200) {
      waiting.push(call);
      boot();
    } else dropped++;
  };

  const ask = async (...call) => {
    if (!core) await boot();
    if (!core) throw Error("visitflow is blocked, or offline");
    return core.call(...call);
  };

  const boot = () => {
    options.known ||= granted() && visitor();
    options.urgent = loading; // what was put off is wanted now
    return (loading ||= load("", options, () => waiting)
      .then((exports) => {
        exports.init(options, measured() ? waiting.splice(0) : []);
        core = exports;
      })
      .catch((error) => {
        complain(error);
        loading = 0; // the next call tries again
      }));
  };

  // Consent is taken back, and there is no WebAssembly to see to it; where that comes to erase what the
  // server has, it needs the visitor's key. `Secure` is no part of what names a cookie.
  const forget = (erase) => {
    if (!visitor()) return;
    options.revoked = visitor();
    ["v_[^;]+", "\\d+"].forEach((form, at) => {
      if (!held(at, form)) return;
      setCookie(options.names[at] + "=; Max-Age=0");
      setCookie(options.names[at] + "=; Max-Age=0", options.cookieDomain);
    });
    attempt(() => {
      for (const key in localStorage) if (/^visitflow[:.]/.test(key)) delete localStorage[key];
      new BroadcastChannel("visitflow").postMessage(0);
    });
    attempt(() => erase || beacon("/api/session/forget", {}));
  };

  // The page may leave before the WebAssembly is ready, or without: its facts are sent all the same.
  const leave = () => {
    // Another tab may have taken consent back.
    if (core || !measured() || (options.known && !visitor())) return;
    let visitor_id;
    if (granted()) {
      visitor_id = visitor();
      if (!visitor_id && crypto.randomUUID) {
        visitor_id = "v_" + crypto.randomUUID();
        held(0, "[^;]+") || setCookie(options.names[0] + "=" + visitor_id + "; Max-Age=31536000; Secure", options.cookieDomain);
      }
    }
    waiting = waiting.filter(
      ([name, at, href, given, stored]) =>
        !(stored || beacon("/api/telemetry/" + name, {
          visitor_id,
          url: href.slice(0, 2000),
          age_ms: Date.now() - at,
          site: options.site,
          webdriver: navigator.webdriver,
          ...given,
          anonymous: !granted(),
        })),
    );
  };

  // What a call does before, or instead of, what the WebAssembly does.
  const calls = {
    init(given) {
      if (options) return;
      // With options that cannot be read nothing is measured.
      options = { consent: (objected = "denied") };
      given = { ...given, complain };
      given.endpoint = new URL(given.endpoint || base, location).href.replace(/\/+$/, "");
      // As an attribute: "visitor_id=a last_activity=b".
      given.names = ["visitor_id", "last_activity"].map(
        (name) => given.cookieNames?.[name] ?? RegExp(name + "=([^ ,]+)").exec(given.cookieNames)?.[1] ?? name,
      );
      if (!/^(?!__)([\w!#$%&'*+.^`|~-]{1,64}) (?!__|\1$)[\w!#$%&'*+.^`|~-]{1,64}$/.test(given.names.join(" "))) {
        throw Error("cookieNames: two names that cookies may have");
      }
      objected =
        (given.gpc != "ignore" && navigator.globalPrivacyControl) || (given.dnt == "honour" && navigator.doNotTrack > 0);
      given.consent = objected
        ? "denied"
        : given.consent || (on(given.rememberConsent) && attempt(() => localStorage.visitflow_consent)) || "pending";
      options = given;
      if (on(options.autoPageViews ?? 1)) {
        waiting = [(landing = ["page_view", Date.now(), location.href, { referrer: document.referrer }])];
      }
      addEventListener("pagehide", () => attempt(leave));
      if (measured()) boot();
      if (on(options.debug)) load("debug-", options).catch(complain);
    },
    grant() {
      if (objected) return;
      decide("granted");
      core ? core.call("grant", waiting.splice(0)) : boot();
    },
    deny() {
      if (granted()) calls.revoke();
      else {
        decide("denied");
        core?.call("deny");
      }
    },
    async revoke(given) {
      decide("denied");
      waiting = waiting.filter((call) => call == landing || void dropped++);
      const erase = given?.erase;
      core || forget(erase);
      return (core || erase) && ask("revoke", given);
    },
    pageView: (url = location) => fact("page_view", { url: new URL(url, location).href }),
    event: (name, props) => fact("event", { name: name + "", props }),
    order: (given) => fact("order", { ...given, id: given.id + "", amount: given.amount + "" }),
    login: (...given) => ask("login", ...given),
    logout: () => ask("logout"),
    end: async () => measured() && ask("end"),
    snapshot: async () => (core ? core.snapshot(dropped) : resting(options?.consent, dropped)),
  };

  // Of no visit: consent does not matter, and nothing is written.
  for (const name of ["session", "sessions", "endSession", "visitorData"]) {
    calls[name] = (...given) => load("session-", options, name, ...given);
  }

  for (const name in calls) {
    const run = calls[name];
    calls[name] = (...args) => {
      const answer = attempt(() => {
        options?.trace?.(name, args);
        return run(...args);
      });
      answer?.catch(() => {}); // not everybody waits for it
      return answer;
    };
  }
  return calls;
}
