// What every door of the package shares: the functions that a page calls at any time, and the
// rule for when the WebAssembly is loaded at all. None of them throws into the page.
//
// Before consent (unless `beforeConsent` is "anonymous") nothing is fetched, stored or sent: what the page tells is
// kept in memory, the landing page first, so that a later consent can report it as it was.

import { reported } from "../../client-wasm/shell/address.js";
import { attempt } from "../../client-wasm/shell/attempt.js";
import { decide, initial, isGranted, maySend, mayWait, objects } from "../../client-wasm/shell/consent.js";
import { IGNORED, readCookie, readOwn, writeCookie } from "../../client-wasm/shell/cookies.js";
import { CAP, LAST_ACTIVITY, TELEMETRY, VISITOR, VISITOR_MAX_AGE_S } from "../../client-wasm/shell/generated.js";
import { json } from "../../client-wasm/shell/json.js";
import { isOn, isShaped, options, setOptions } from "../../client-wasm/shell/options.js";
import { resting } from "./resting.js";

/**
 * Makes the functions; `init` is to be called first. `load("", options, waiting)` fetches the WebAssembly and
 * resolves with its exports (wired.js) once they may be used, `load("debug-", options)` has debug.js explain them,
 * `load("session-", options, name, …)` calls a function of session.js; `base` is the default of the option `endpoint`.
 */
export function create(load, base) {
  let core; // the exports, once they are there
  let loading; // the promise of that
  let spoken; // the one console line was said
  let dropped = 0;
  let landing; // the view of the page as it was
  const waiting = []; // calls, until the exports are there: {name, at, href, given}

  const complain = (error) => {
    spoken ||= !console.warn("visitflow:", error);
  };

  const isSendable = ({ name }) => maySend(name == "page_view");

  // As it is now: the page may change it while it waits.
  const made = (name, given) => ({ name, at: Date.now(), href: location.href, given: JSON.parse(json(given)) });

  // Where the page wants it confirmed: a promise that resolves once it is stored.
  const tell = (name, given, confirm) => {
    const call = made(name, given);
    if (core && isSendable(call)) core.tell(call);
    else if (isSendable(call) || mayWait()) {
      hold(call);
      if (isSendable(call)) boot();
    } else dropped++;
    return confirm && (isSendable(call) ? ask("confirm", call) : Promise.reject(Error(options.consent)));
  };

  // The oldest goes where there are too many, an order last.
  const hold = (call) => {
    if (waiting.push(call) > CAP) {
      complain(`only ${CAP} calls wait`);
      waiting.splice(waiting.findIndex(({ name }) => name != "order"), 1);
      dropped++;
    }
  };

  // Takes out those that may be sent; the others wait on.
  const takeSendable = () => waiting.splice(0).filter((call) => isSendable(call) || !waiting.push(call));

  const ask = async (...call) => {
    if (!core) await boot(true);
    if (!core) throw Error("blocked, or offline");
    return core.call(...call);
  };

  const boot = (urgent = loading) => {
    options.known ||= isGranted() && readOwn(options.visitorCookie);
    // What was put off is wanted now.
    options.urgent ||= urgent;
    options.hurry?.();
    return (loading ||= load("", options, waiting)
      .then((exports) => {
        exports.init(options, takeSendable());
        core = exports;
      })
      .catch((error) => {
        complain(error);
        loading = 0; // the next call tries again
      }));
  };

  // What waits is dropped; the landing page may be told of later, anew.
  const refuse = () => {
    decide("denied");
    for (const call of waiting.splice(0)) call == landing ? waiting.push(call) : dropped++;
  };

  // The page may leave before anything has loaded (then early.js sees to it): what it told is sent all the same.
  const leave = () => {
    let visitor_id = isGranted() ? readOwn(options.visitorCookie) : undefined;
    // Another tab may have taken consent back.
    if (options.hurry || isShaped() || (options.known && !visitor_id) || (maySend(true) && readCookie(IGNORED))) return;
    for (const { name, at, href, given } of takeSendable()) {
      // On plain HTTP browsers make no identifiers, nor do they take a secure cookie.
      if (!visitor_id && isGranted() && crypto.randomUUID) {
        writeCookie(options.visitorCookie, (visitor_id = "v_" + crypto.randomUUID()), VISITOR_MAX_AGE_S);
      }
      // It survives the page like a beacon, which would carry cookies without consent, too.
      fetch(options.endpoint + TELEMETRY + name, {
        method: "POST",
        keepalive: true,
        credentials: isGranted() ? "include" : "omit",
        body: json({
          ...given,
          url: reported(given.url ?? href),
          visitor_id,
          anonymous: !isGranted(),
          site: options.site,
          webdriver: navigator.webdriver,
          age_ms: Math.max(Date.now() - at, 0),
        }),
      }).catch(() => {});
    }
  };

  // What a call does before, or instead of, what the WebAssembly does.
  const calls = {
    init(given) {
      if (options) return;
      // With options that cannot be read there are none, and nothing is measured.
      // {visitor_id: "a"}, or as an attribute "visitor_id=a last_activity=b".
      const cookie = (name) => RegExp(name + '[":=]+([\\w.-]+)').exec(json(given.cookieNames))?.[1] ?? name;
      given = {
        ...given,
        complain,
        listeners: new Set(),
        endpoint: new URL(given.endpoint || base, location).href.replace(/\/+$/, ""),
        visitorCookie: cookie(VISITOR),
        activityCookie: cookie(LAST_ACTIVITY),
        consent: initial(given),
        // A frame of the page's own origin is a part of the page.
        autoPageViews: isOn(given.autoPageViews ?? true) && isOn(given.frames ?? !frameElement),
      };
      if (given.autoPageViews) waiting.push((landing = made("page_view", { referrer: reported(document.referrer) })));
      setOptions(given);
      addEventListener("pagehide", () => attempt(leave));
      if (maySend(true)) boot();
      if (isOn(given.debug)) load("debug-", given).catch(complain);
    },
    grant() {
      if (objects(options)) return;
      // A view that went ahead was another visitor's; the title is that of the page again.
      if (landing?.fact && !isGranted()) landing.fact = options.stale = 0;
      decide("granted");
      core ? core.call("grant", takeSendable()) : boot(true);
    },
    deny() {
      if (isGranted()) return void calls.revoke();
      refuse();
      core?.call("deny");
    },
    async revoke(given) {
      refuse();
      if (!core && readOwn(options.visitorCookie)) {
        // There is no WebAssembly to see to it; where that comes to erase what the server has, it needs the key.
        options.revoked = readOwn(options.visitorCookie);
        // At once; the rest may take a file.
        writeCookie(options.visitorCookie, "", 0);
        await (options.forget ? options.forget(given) : load("session-", options, "forget", given));
      }
      return (core || given?.erase) && ask("revoke", given);
    },
    pageView: (url = location) => tell("page_view", { url: new URL(url, location).href }),
    event: (name, props, more) => tell("event", { name: name.toString(), props }, more),
    // Numbers that were computed have more places than money: the server takes four.
    order: (given, more) => tell("order", { ...given, id: given.id.toString(), amount: (given.amount.toFixed ? +given.amount.toFixed(4) : given.amount) + "" }, more),
    onConsentChange(listener) {
      options.listeners.add(listener);
      return () => options.listeners.delete(listener);
    },
    snapshot: async () => (core ? core.snapshot(dropped) : resting(options?.consent ?? "denied", dropped)),
  };

  for (const name of ["login", "logout", "end", "flush"]) {
    calls[name] = async (...given) => (/log/.test(name) || maySend(true)) && ask(name, ...given);
  }

  // Of no visit: consent does not matter, and nothing is written.
  for (const name of ["session", "sessions", "endSession", "visitorData", "ignoreMe"]) {
    calls[name] = (...given) => load("session-", options, name, ...given);
  }

  for (const name in calls) {
    const run = calls[name];
    calls[name] = (...args) => {
      let answer;
      try {
        options?.trace?.(name, args);
        answer = run(...args);
      } catch (error) {
        complain(error);
        answer = Promise.reject(error);
      }
      answer?.catch?.(() => {}); // not everybody waits for it
      return answer;
    };
  }
  return calls;
}
