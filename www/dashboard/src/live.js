// Who is here now: asked for every 10 seconds while the tab is visible.

import { el, replace, svg } from "../../shared/dom.js";
import * as format from "./format.js";

const EVERY_MS = 10_000;
const MINUTES = 30;
const SHOWN_PAGES = 5;

/**
 * Makes the panel. `ask()` gives the `live` report, `fail(problem)` hears what went wrong and says
 * whether it took over. `start()` begins to ask, `stop()` ends; `active(n)` shows a count known
 * from elsewhere.
 */
export function createLive({ ask, fail }) {
  const number = el("span", { class: "value", data: { testid: "active-sessions" } });
  const noun = el("span", { class: "quiet" });
  const minutes = el("div", { class: "minutes" });
  const list = el("div", {});
  const note = el("p", { class: "quiet", role: "status" });
  let timer = null;
  let round = 0;

  const active = (count) => {
    number.dataset.value = String(count);
    replace(number, format.count(count));
    noun.textContent = count === 1 ? "visit in the last 5 minutes" : "visits in the last 5 minutes";
  };

  const tick = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    const mine = ++round;
    try {
      const report = await ask();
      if (mine !== round) return;
      active(report.active_sessions);
      replace(minutes, sparkline(report.page_views_per_minute));
      replace(list, pagesOf(report.pages));
      replace(note);
    } catch (problem) {
      if (mine !== round || fail(problem)) return;
      replace(note, `Not updated: ${problem.detail ?? problem.message}`);
    }
    timer = setTimeout(tick, EVERY_MS);
  };
  let running = false;
  document.addEventListener("visibilitychange", () => running && !document.hidden && tick());

  return {
    root: el("section", { class: "panel live-panel", data: { testid: "live" }, "aria-labelledby": "live-title" },
      el("div", { class: "panel-head" }, el("h2", { id: "live-title" }, el("span", { class: "pulse", "aria-hidden": "true" }), "Live now")),
      el("p", { class: "live-count" }, number, noun), minutes, list, note),
    active,
    start() {
      running = true;
      return tick();
    },
    stop() {
      running = false;
      round += 1;
      clearTimeout(timer);
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
    el("li", {}, el("span", { class: "name", title: path }, path), el("span", {}, format.plural(visits, "visit")))));
}
