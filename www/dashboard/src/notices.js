// The panels that stand in for the whole board: not an admin, no cookie, a sign-out that failed.

import { el } from "../../shared/dom.js";
import { isLoopback } from "../../shared/hosts.js";

/** A request failed: its detail, and a way to try again. */
export function errorNotice(problem, retry) {
  return notice("error", problem.status === 0 ? "No answer from the server" : "That did not work",
    el("p", {}, problem.detail ?? problem.message),
    action("Try again", retry));
}

/** Signed in, but not as an admin. */
export function forbiddenNotice(switchAccount) {
  return notice("forbidden", "This needs an administrator",
    el("p", {}, "You are signed in, but this account may not read the figures. ",
      "Sign in with an administrator’s account; this makes one:"),
    el("pre", { tabindex: "0" }, el("code", {}, "visitflow user add NAME --admin")),
    action("Use another account", switchAccount));
}

/** The sign-in was right, and the next request had no session: the browser has not kept the cookie. */
export function cookieNotice(signInAgain, here = location) {
  return notice("cookie-dropped", "The browser did not keep the sign-in",
    el("p", {}, "Name and password were right, but the browser did not send the session’s cookie back. "),
    reasonsFor(here).map((reason) => el("p", {}, reason)),
    action("Sign in again", signInAgain));
}

/** Why a cookie is not kept, and what to do; the most likely reason comes first. */
export function reasonsFor({ protocol, hostname }) {
  if (protocol === "https:") {
    return ["Allow cookies for this address in the browser’s settings. If the server was started with --cookie-domain, its value must cover this host."];
  }
  if (isLoopback(hostname)) {
    return [
      "The cookie is marked Secure, and this page came by plain HTTP. For this machine alone, start the server with --cookie-secure auto.",
      "If the server was started so, allow cookies for this address in the browser’s settings.",
    ];
  }
  return [
    "The cookie is marked Secure, and this page came by plain HTTP: browsers keep such a cookie only over HTTPS.",
    `Open the dashboard as https://${hostname}/dashboard. If the server has no certificate yet, give it one (--tls-cert, --tls-key), or put a TLS proxy in front of it.`,
    "--cookie-secure auto does not help here: it is for a browser on the server’s own machine.",
  ];
}

function notice(testId, heading, ...content) {
  return el("section", { class: "panel notice", role: "alert", data: { testid: testId } }, el("h2", {}, heading), content);
}

function action(label, act) {
  return el("div", { class: "actions" }, el("button", { class: "button primary", type: "button", on: { click: act } }, label));
}
