// The WebAssembly and the browser's side of it, wired together.

import load, * as core from "glue";
import { begin, serially } from "host";

export default load;
export { serially };
export const { grant, deny, revoke, logout, end } = core;

export const init = (options) => {
  begin(options, core.happened, core.answered);
  core.init(options);
};

// What happened `at` a time, in ms since the Unix epoch, on the page `href`.

export const pageView = (at, href, url) => core.page_view(new URL(url ?? href, href).href, at);

export const event = (at, href, name, props) => core.event({ name: String(name), props: props ?? undefined }, at);

export const order = (at, href, { id, amount, currency, items }) =>
  core.order({ id: String(id), amount: String(amount), currency: String(currency), items: items ?? undefined }, at);

export const login = (username, password, settle) =>
  core.login(JSON.stringify({ username: String(username), password: String(password) }), settle);

export const snapshot = () => {
  const [version, consent, visitor_id, session, last_activity, queued, sent, dropped, cookies] = core.snapshot();
  return { version, consent, visitor_id, session, last_activity, queued, sent, dropped, cookies };
};
