// The WebAssembly and the browser's side of it, wired together.

import * as core from "glue";
import { begin, named, reported } from "host";

export { grant, deny, revoke, logout, end } from "glue";
export { serially } from "host";

/** Loads the WebAssembly, or takes the answer that brings it. */
export default async (given) => {
  const answer = await (given ?? fetch(new URL("visitflow.wasm", import.meta.url)));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  // A server may not know the type application/wasm; then it is compiled once it is there.
  const module = await WebAssembly.compileStreaming(answer.clone()).catch(async () =>
    WebAssembly.compile(await answer.arrayBuffer()),
  );
  core.initSync({ module });
};

export const init = (options) => {
  const bits = begin(options, core.happened, core.answered, core.adopted);
  core.init(bits, options.landingAt, Math.max(1000, options.pingIntervalMs || 15000));
};

// What happened `at` a time, in ms since the Unix epoch, on the page `href`.

export const pageView = (at, href, url) => core.page_view(new URL(url ?? href, href).href, at);

export const event = (at, href, name, props) => core.event({ url: reported(href), name: String(name), props: props ?? undefined }, at);

export const order = (at, href, { id, amount, currency, items }) =>
  core.order(
    { id: String(id), amount: String(amount), currency: String(currency), items: items ?? undefined, url: reported(href) },
    at,
  );

export const login = (username, password, settle) =>
  core.login({ username: String(username), password: String(password) }, settle);

export const snapshot = () => {
  const [version, consent, session, last_activity, queued, sent, dropped, cookies] = core.snapshot();
  return { version, consent, visitor_id: (consent == "granted" && named()) || null, session, last_activity, queued, sent, dropped, cookies };
};
