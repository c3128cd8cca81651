// Nothing is counted yet: how to begin, and which pages the server has refused facts from.

import { el, replace } from "../../shared/dom.js";
import { isLoopback, shopLink } from "../../shared/hosts.js";
import { readableHost } from "./address/host.js";
import { createAsking } from "./asking.js";
import * as format from "./format.js";
import { addDays } from "./period.js";
import * as reports from "./reports.js";

const EVERY_MS = 10_000;
const SHOWN_ORIGINS = 5;

/** Makes the part; `show(period, site)` begins to ask for refused origins, `hide()` ends it. */
export function createEmpty({ left }) {
  const words = el("div", { class: "notice-words" });
  const refused = el("div", { role: "status", data: { testid: "refused" } });
  const root = el("section", { class: "panel notice", hidden: true, data: { testid: "empty" } }, words, refused, howTo());
  const asking = createAsking({
    ask: reports.refused,
    answered(answer) {
      replace(refused, refusals(answer.refused ?? []));
      return EVERY_MS;
    },
    // A server that does not tell shows nothing here.
    failed: () => replace(refused),
    left,
  });
  return {
    root,
    show(period, site) {
      replace(words,
        el("h2", {}, period.running ? "No visits yet" : "No visits in this range"),
        el("p", {}, "Nothing was counted", site && [" on ", el("bdi", {}, readableHost(site))], ` ${spanOf(period)}.`));
      if (root.hidden) asking.start();
      root.hidden = false;
    },
    hide() {
      asking.stop();
      replace(refused);
      root.hidden = true;
    },
  };
}

/** The tag that counts as it is. */
export function tagFor(origin) {
  return `<script src="${origin}/visitflow.js" data-consent="granted" defer></script>`;
}

function howTo() {
  const tag = tagFor(location.origin);
  return [
    el("p", {}, "Put this tag into the head of your pages. It counts every visit from then on:"),
    el("pre", { tabindex: "0" }, el("code", { data: { testid: "tag" } }, tag)),
    el("p", {}, "Where visitors have to be asked first, write ", code('data-consent="pending"'),
      " instead. Then nobody is counted until your page calls ", code('visitflow("grant")'), " for a visitor who agrees."),
    el("p", {}, "Pages of another origin than ", code(location.origin), " have to be named to the server with ",
      code("--allowed-origin"), "."),
    isLoopback(location.hostname) && el("p", {}, "This address is that of your own machine. ",
      "For pages elsewhere, open the dashboard at the server’s public address and take the tag from there."),
    el("div", { class: "actions" }, copyButton(tag), el("a", { class: "button", href: shopLink() }, "Try the demo shop")),
  ];
}

function refusals(list) {
  if (list.length === 0) return null;
  return el("div", { class: "warning" },
    el("h3", {}, "Facts were refused"),
    el("ul", {}, list.slice(0, SHOWN_ORIGINS).map(refusal)),
    list.length > SHOWN_ORIGINS && el("p", {}, `And from ${format.plural(list.length - SHOWN_ORIGINS, "other origin")}.`));
}

function refusal({ origin, advice, requests, last_at: lastAt }) {
  const times = [requests > 0 && format.plural(requests, "request"), lastAt && `the last at ${format.clock(new Date(lastAt))}`];
  const detail = times.filter(Boolean).join(", ");
  return el("li", {}, "Facts from ", code(printable(origin)), ` were refused${detail && ` (${detail})`}`,
    isOrigin(origin) ? [": start the server with ", code(`--allowed-origin ${origin}`)] : advice ? `: ${advice}` : null, ".");
}

/** Whether it is an origin as browsers write it: only that is offered as a flag. */
export function isOrigin(text) {
  if (!/^https?:\/\/[a-z0-9.:[\]_-]+$/.test(text)) return false;
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

/** Anything but visible ASCII, as its code point. */
export function printable(text) {
  return String(text).replace(/[^\x21-\x7E]/gu, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

function code(text) {
  return el("code", {}, text);
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
