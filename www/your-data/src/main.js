// The page that a site can link: what is stored of this browser's visitor, to read, to keep and to erase.

import { Problem, request } from "../../shared/api.js";
import { el, replace } from "../../shared/dom.js";
import { everything } from "../../../pkg/src/everything.js";
import * as show from "./show.js";

const main = document.getElementById("main");

/** Relative, so that the page also works under a prefix of the site's own. */
const VISITOR = "api/privacy/visitor";
const START = "api/session/start";

load();

async function load() {
  page("loading", el("p", null, "Loading…"));
  try {
    tell(await everything((query) => request(VISITOR + query)));
  } catch (error) {
    refused(error);
  }
}

function tell(told) {
  const { visitor_id, visits, orders, refunds } = told;
  const isEmpty = visits.length + orders.length + refunds.length === 0;
  page(isEmpty ? "empty" : "ready",
    el("p", null, "This is everything that is stored of this browser, known as ", el("code", null, visitor_id), "."),
    isEmpty && el("p", null, "Nothing is stored."),
    el("div", { class: "actions" },
      button("download", "Download as JSON", () => download(told)),
      !isEmpty && button("erase", "Erase all of it", () => ask(told), "danger")),
    show.everything(told));
}

function ask(told) {
  page("asking",
    el("p", null, "All of it will be deleted for good, also orders as far as they are stored here, and you will be signed out."),
    el("div", { class: "actions" },
      button("erase-yes", "Erase it", () => erase(told.visitor_id), "danger"),
      button("erase-no", "Keep it", () => tell(told))));
  main.querySelector("[data-testid=erase-no]").focus();
}

async function erase(visitor_id) {
  page("erasing", el("p", null, "Erasing…"));
  try {
    await erased(visitor_id);
    page("erased", el("p", null, "Everything that was stored of this browser is erased."));
  } catch (error) {
    refused(error);
  }
}

/** Only a browser with a live session may erase its visitor: one that has none begins one. */
async function erased(visitor_id) {
  const erase = () => request(VISITOR, { method: "DELETE", body: { visitor_id } });
  try {
    await erase();
  } catch (error) {
    if (error.type !== "session-expired") throw error;
    await request(START, { method: "POST", body: { visitor_id } });
    await erase();
  }
}

const REFUSED = {
  400: "This browser has no identifier, so nothing is stored that could be found by it.",
  403: "This browser cannot prove that the data is its own: it has lost its key, or never had one. Please ask the owner of this site for your data.",
};

function refused(error) {
  if (!(error instanceof Problem)) throw error;
  const isFinal = error.status in REFUSED;
  page(isFinal ? "refused" : "failed",
    el("p", { role: "alert" }, REFUSED[error.status] ?? "Your data cannot be shown or changed at the moment. Please try again."),
    !isFinal && button("again", "Try again", load));
}

function page(state, ...children) {
  main.dataset.state = state;
  replace(main, el("h1", null, "Your data"), children);
}

function button(testid, text, click, kind = "") {
  return el("button", { class: `button ${kind}`, type: "button", data: { testid }, on: { click } }, text);
}

function download(told) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(told, null, 2)], { type: "application/json" }));
  el("a", { href: url, download: "your-data.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
