// The server's reports, as the dashboard asks for them.

import { request } from "../../shared/api.js";
import { TIME_ZONE } from "./period.js";

const TOP = 10;
const LIVE_TIMEOUT_MS = 8_000;
/** After wrong passwords the server lets the next one wait. */
const SIGN_IN_TIMEOUT_MS = 120_000;

/** Signs in without beginning a visit: whoever reads figures is not a visitor. */
export function signIn(username, password) {
  return request("/api/auth/login", { method: "POST", timeoutMs: SIGN_IN_TIMEOUT_MS, body: { username, password, visit: false } });
}

export function signOut() {
  return request("/api/auth/logout", { method: "POST", body: {} });
}

/** Keeps the session alive. */
export function ping() {
  return request("/api/session/ping", { method: "POST", body: {} });
}

export function overview(range, { site, currency }, signal) {
  return get("overview", { ...span(range), site, currency }, signal);
}

export function timeseries(range, { site }, signal) {
  return get("timeseries", { ...span(range), site }, signal);
}

export function pages(range, { site }, signal) {
  return get("pages", { ...span(range), site, limit: TOP }, signal);
}

export function referrers(range, { site }, signal) {
  return get("referrers", { ...span(range), site, limit: TOP }, signal);
}

/** The sites that were visited, most visited first. */
export function sites(range, _, signal) {
  return get("sites", span(range), signal);
}

/** What happens now: an answer that comes late is of no use. */
export function live({ site }, signal) {
  return get("live", { site }, signal, LIVE_TIMEOUT_MS);
}

/** From which origins facts were refused. */
export function refused(signal) {
  return get("refused", {}, signal);
}

function span({ from, to }) {
  return { from, to, tz: TIME_ZONE };
}

function get(report, parameters, signal, timeoutMs) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  return request(`/api/metrics/${report}${query}`, { signal, timeoutMs });
}
