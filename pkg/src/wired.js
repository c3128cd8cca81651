// What the loader calls of the WebAssembly and the shell around it, wired together.

import * as core from "glue";
import { confirm } from "../../client-wasm/shell/confirm.js";
import { isGranted, isIgnored, setConsent } from "../../client-wasm/shell/consent.js";
import { options, setOptions } from "../../client-wasm/shell/options.js";
import { complain } from "../../client-wasm/shell/page.js";
import { arriveAt, catchUp, land, seeAnew } from "../../client-wasm/shell/routes.js";
import { connect, tellView } from "../../client-wasm/shell/rust.js";
import { serially } from "../../client-wasm/shell/serial.js";
import { takeOver } from "../../client-wasm/shell/session.js";
import { isMarked } from "../../client-wasm/shell/visitor.js";

/** Resolves with all this once the page is shown: one that is rendered ahead of its visit is no view before. */
const shown = async (waiting) => {
  if (document.prerendering) {
    await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve, { once: true }));
    for (const call of waiting) call.at = Date.now();
  }
  return wired;
};

// What a call of the page tells, by its name.
const told = { page_view: core.page_view, event: core.event, order: core.order };

/** What the page came with, in order; then the page that the visitor is at by now may be another. */
const arrive = (waiting) => {
  for (const call of waiting) {
    if (call.name == "page_view" && !call.given.url) arriveAt(call.href);
    told[call.name](call, call.at);
  }
  catchUp(options.autoPageViews && tellView);
};

// Each takes first what settles the promise of the page, `(error, value)`.
const calls = {
  grant(settle, waiting) {
    if (isIgnored()) return;
    if (options.anew) seeAnew();
    options.anew = false;
    const [first] = waiting;
    if (first?.name == "page_view" && !first.given.url) land(first.href);
    core.grant();
    arrive(waiting);
  },
  deny: core.deny,
  revoke: (settle, given) => core.revoke(!!given?.erase, settle),
  login(settle, username, password, more = username) {
    const { remember } = Object(more);
    core.login(
      username?.assertion
        ? { assertion: username.assertion, remember }
        : { username: username + "", password: password + "", remember },
      settle,
    );
  },
  logout: core.logout,
  flush: core.flush,
  confirm,
  end: core.end,
};

/** Begins with options, and the calls that the page came with. */
const init = (given, waiting) => {
  setOptions(given);
  given.early?.abort();
  connect(core.happened, core.answered, core.adopted, core.page_view);
  serially(() => {
    land(waiting[0]?.href ?? location.href);
    // Another tab may have taken consent back, where this one could not hear of it yet.
    if (!isIgnored() && given.known && !isMarked()) setConsent("denied");
    takeOver(waiting[0]?.fact?.stored);
    core.init(
      isGranted(),
      given.consent == "denied",
      given.beforeConsent == "anonymous",
      given.autoPageViews,
      Math.max(1000, +given.pingInterval || given.pingIntervalMs || 15000),
    );
    arrive(waiting);
    if (given.capture) {
      import(CAPTURE).then(({ capture }) =>
        capture(given.capture + "", (name, props) =>
          tell({ name: "event", at: Date.now(), href: location.href, given: { name, props } })),
      ).catch(complain);
    }
  });
};

/** Takes a view, an event or an order that the page tells of. */
const tell = (call) => serially(() => told[call.name](call, call.at));

/** Calls a function by its name. */
const call = (name, ...args) => {
  const answer = new Promise((resolve, reject) => {
    const done = (error, value) => (error ? reject(Error(error)) : resolve(value));
    serially(() => {
      try {
        calls[name](done, ...args);
      } catch (error) {
        complain(error);
        done(error);
      }
    });
  });
  answer.catch(() => {}); // not everybody waits for it
  return answer;
};

const snapshot = (more) => {
  const known = core.snapshot();
  return { version: VERSION, ...known, dropped: known.dropped + more };
};

const wired = { call, init, shown, snapshot, tell };

export default wired;
