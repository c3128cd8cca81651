// Who is here now.

import { el, replace, svg } from "../../shared/dom.js";
import { pathNodes } from "./address/show.js";
import * as format from "./format.js";

const MINUTES = 30;
const SHOWN_PAGES = 5;

/** Makes the panel; `show(report)` fills it. Its dot is lit while the last answer is recent. */
export function createLive() {
  const number = el("span", { class: "value", data: { testid: "active-sessions" } });
  const noun = el("span", { class: "quiet" });
  const minutes = el("div", { class: "minutes" });
  const list = el("div", {});
  const body = el("div", { class: "live-body" }, el("p", { class: "live-count" }, number, noun), minutes, list);

  return {
    root: el("section", { class: "panel live-panel", data: { testid: "live" }, "aria-labelledby": "live-title" },
      el("div", { class: "panel-head" },
        el("h2", { id: "live-title" }, el("span", { class: "pulse", "aria-hidden": "true" }), "Live now")),
      body),
    body,
    show(report) {
      number.dataset.value = String(report.active_sessions);
      format.writeInto(number, format.count(report.active_sessions));
      noun.textContent = `${report.active_sessions === 1 ? "visit" : "visits"} in the last 5 minutes`;
      replace(minutes, sparkline(report.page_views_per_minute));
      replace(list, pagesOf(report.pages));
    },
    loading() {
      delete number.dataset.value;
      replace(number, el("span", { class: "skeleton figure-skeleton", "aria-hidden": "true" }));
      replace(noun);
      replace(minutes, el("div", { class: "skeleton minutes-skeleton", "aria-hidden": "true" }));
      replace(list);
    },
  };
}

function sparkline(values) {
  const most = Math.max(...values, 4);
  const total = values.reduce((sum, value) => sum + value, 0);
  const bars = values.slice(-MINUTES).map((value, index) => {
    const height = value === 0 ? 1 : Math.max((value / most) * 48, 3);
    return svg("rect", { x: index * 10 + 1, y: 48 - height, width: 8, height, rx: 1.5, class: value === 0 ? "none" : null });
  });
  return [
    svg("svg", { viewBox: `0 0 ${MINUTES * 10} 48`, preserveAspectRatio: "none", role: "img",
      "aria-label": `${format.plural(total, "page view")} in the last ${MINUTES} minutes` }, bars),
    el("p", { class: "quiet minutes-axis", "aria-hidden": "true" },
      el("span", {}, `${MINUTES} min ago`), el("span", {}, format.plural(total, "page view")), el("span", {}, "now")),
  ];
}

function pagesOf(pages) {
  if (pages.length === 0) return el("p", { class: "quiet" }, "Nobody is here at the moment.");
  return el("ul", { class: "live-pages" }, pages.slice(0, SHOWN_PAGES).map(({ path, visits }) =>
    el("li", {}, el("span", { class: "name", title: path }, pathNodes(path)), el("span", {}, format.plural(visits, "visit")))));
}
