// The panels that stand in for figures: nothing counted yet, an error, not an admin.

import { el } from "../../shared/dom.js";
import { shopLink } from "../../shared/hosts.js";
import * as format from "./format.js";
import { addDays } from "./period.js";

/** No visit and no page view in the period: how to begin. */
export function emptyNotice(period, site) {
  const tag = `<script src="${location.origin}/visitflow.js"\n        data-consent="pending" defer></script>`;
  const where = site ? ` on ${site}` : "";
  return el("section", { class: "panel notice", data: { testid: "empty" } },
    el("h2", {}, period.running ? "No visits yet" : "No visits in this range"),
    el("p", {}, `Nothing was counted${where} ${spanOf(period)}. Put this tag on your pages; it counts nobody before they consent:`),
    el("pre", { tabindex: "0" }, el("code", {}, tag)),
    el("div", { class: "actions" }, copyButton(tag), el("a", { class: "button", href: shopLink() }, "Try the demo shop")));
}

/** A request failed: its detail, and a way to try again. */
export function errorNotice(problem, retry) {
  return el("section", { class: "panel notice", role: "alert", data: { testid: "error" } },
    el("h2", {}, problem.status === 0 ? "No answer from the server" : "The figures could not be loaded"),
    el("p", {}, problem.detail ?? problem.message),
    el("div", { class: "actions" },
      el("button", { class: "button primary", type: "button", on: { click: retry } }, "Try again")));
}

/** Signed in, but not as an admin. */
export function forbiddenNotice(switchAccount) {
  return el("section", { class: "panel notice", role: "alert", data: { testid: "forbidden" } },
    el("h2", {}, "This needs an administrator"),
    el("p", {}, "You are signed in, but this account may not read the figures. ",
      "Sign in with an administrator’s account; this makes one:"),
    el("pre", { tabindex: "0" }, el("code", {}, "visitflow user add NAME --admin")),
    el("div", { class: "actions" },
      el("button", { class: "button primary", type: "button", on: { click: switchAccount } }, "Use another account")));
}

function spanOf({ first, end, days, running }) {
  if (days === 1) return running ? "today" : `on ${format.dayLong(first)}`;
  return `from ${format.dayPlain(first)} to ${format.dayPlain(addDays(end, -1))}`;
}

function copyButton(text) {
  if (!navigator.clipboard) return null;
  const button = el("button", { class: "button primary", type: "button" }, "Copy the tag");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copying is not allowed here";
    }
  });
  return button;
}
