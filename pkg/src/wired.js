// What the loader calls of the WebAssembly and the browser's side of it, wired together.

import * as core from "glue";
import { ahead as sendAhead, begin, complain, isMarked, land, named, reported, serially } from "host";

/** Resolves with all this once the page is shown: one that is rendered ahead of its visit is no view before. */
const shown = async (facts) => {
  if (document.prerendering) {
    await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve, { once: true }));
    for (const fact of facts) fact[1] = Date.now();
  }
  return wired;
};

let entries; // of the history, when the client was loaded

/** Sends the view of the page that was opened. What cannot go yet waits for Rust. */
const ahead = async (...all) => {
  entries = history.length;
  if (!document.prerendering && all[0].consent == "granted") await sendAhead(...all).catch(() => {});
};

/** What the page came with, in order; then the page that the visitor is at by now may be another. */
const arrive = (facts) => {
  if (facts[0]) land(facts[0][2]);
  for (const [name, at, href, given, , ahead] of facts) calls[name](at, href, { ...given, ahead });
  core.happened(+(history.length == entries)); // MOVED or REPLACED
};

// What happened `at` a time, in ms since the Unix epoch, on the page `href`.
const fact = (tell) => (at, href, given) => tell({ url: reported(href), ...given }, at);

const calls = {
  page_view: fact(core.page_view),
  event: fact(core.event),
  order: fact(core.order),
  grant(facts) {
    core.grant();
    arrive(facts);
  },
  deny: core.deny,
  revoke: (given, settle) => core.revoke(!!given?.erase, settle),
  login(...given) {
    const settle = given.pop();
    const [username, password, options = username] = given;
    const { remember } = Object(options);
    core.login(
      username?.assertion
        ? { assertion: username.assertion, remember }
        : { username: username + "", password: password + "", remember },
      settle,
    );
  },
  logout: core.logout,
  end: core.end,
};

/** Begins with options, and the facts that the page came with: `[name, at, href, given]`. */
const init = (options, facts) =>
  serially(() => {
    const bits = begin(options, core.happened, core.answered, core.adopted);
    // Another tab may have taken consent back, where this one could not hear of it yet.
    const forgotten = options.known && !isMarked();
    core.init(forgotten ? (bits & ~3) | 2 : bits, Math.max(1000, +options.pingInterval || options.pingIntervalMs || 15000));
    arrive(facts);
    if (options.capture) {
      import(CAPTURE).then(({ capture }) =>
        capture(options.capture + "", (name, props) => call("event", Date.now(), location.href, { name, props })),
      ).catch(complain);
    }
  });

/** Calls a function by its name. */
const call = (name, ...args) => {
  const answer = new Promise((resolve, reject) => {
    const settle = (error, value) => (error ? reject(Error(error)) : resolve(value));
    serially(() => {
      try {
        calls[name](...args, settle);
      } catch (error) {
        complain(error);
        settle(error);
      }
    });
  });
  answer.catch(() => {}); // not everybody waits for it
  return answer;
};

const snapshot = (more) => {
  const [version, consent, session, last_activity, queued, sent, dropped, cookies] = core.snapshot();
  const visitor_id = (consent == "granted" && named()) || null;
  return { version, consent, visitor_id, session, last_activity, queued, sent, dropped: dropped + more, cookies };
};

const wired = { ahead, call, init, shown, snapshot };

export default wired;
