// The board: everything a signed-in admin sees below the header.

import { el } from "../../shared/dom.js";
import { createChart } from "./chart.js";
import { createFigures } from "./figures.js";
import * as format from "./format.js";
import { createLive } from "./live.js";
import { emptyNotice } from "./notices.js";
import { addDays } from "./period.js";
import { createToolbar } from "./toolbar.js";
import { createTopList } from "./toplist.js";

/** Makes the board. `choose` hears the toolbar, `live` are the options of the live panel. */
export function createBoard({ choose, live: liveOptions, refresh }) {
  const toolbar = createToolbar(choose);
  const figures = createFigures();
  const chart = createChart();
  const live = createLive(liveOptions);
  const pages = createTopList({
    title: "Top pages", testId: "top-pages", rowHead: "Page", name: (row) => row.path,
    columns: [["Views", "page_views"], ["Visits", "visits"]], empty: "No page views in this range.",
  });
  const referrers = createTopList({
    title: "Referrers", testId: "referrers", rowHead: "Came from", name: (row) => row.referrer ?? "Direct",
    columns: [["Visits", "visits"]], empty: "No visits in this range.",
  });
  const spanLabel = el("p", { class: "span" });
  const state = el("p", { class: "quiet", role: "status", data: { testid: "updated" } });
  const again = el("button", { type: "button", class: "link-button", on: { click: refresh } }, "Refresh");
  const notice = el("div", { hidden: true });
  const lists = el("div", { class: "pair" }, pages.root, referrers.root);
  const chartRow = el("div", { class: "chart-row" }, chart.root, live.root);
  const parts = [figures, chart, live, pages, referrers];

  const root = el("div", { class: "board" },
    el("h1", { class: "visually-hidden" }, "Visits"), toolbar.root,
    el("div", { class: "span-row" }, spanLabel, el("div", { class: "state" }, state, again)),
    figures.root, notice, chartRow, lists);

  return {
    root, live,
    mark(selection, period) {
      toolbar.mark(selection, period);
      spanLabel.textContent = spanOf(period);
    },
    loading() {
      root.dataset.state = "loading";
      root.setAttribute("aria-busy", "true");
      state.textContent = "Loading…";
      again.hidden = false;
      for (const part of parts) part.loading();
      notice.hidden = true;
      for (const part of [figures.root, chartRow, lists]) part.hidden = false;
      chart.root.hidden = false;
    },
    show({ selection, period, overview, previous, timeseries, topPages, topReferrers }) {
      const empty = overview.total_visits === 0 && overview.page_views === 0 && overview.orders === 0;
      root.dataset.state = empty ? "empty" : "ready";
      root.setAttribute("aria-busy", "false");
      state.textContent = `Updated ${format.clock(new Date())}`;
      notice.hidden = !empty;
      figures.root.hidden = false;
      chartRow.hidden = false;
      chart.root.hidden = empty;
      lists.hidden = empty;
      if (empty) notice.replaceChildren(emptyNotice(period, selection.site));
      toolbar.offer(selection, overview);
      figures.show(overview, previous, period);
      live.active(overview.active_sessions);
      chart.show(timeseries, period);
      pages.show(topPages.pages);
      referrers.show(topReferrers.referrers);
    },
    /** The figures could not be loaded: the toolbar stays, so that another range can be tried. */
    fail(panel) {
      root.dataset.state = "error";
      root.setAttribute("aria-busy", "false");
      state.textContent = "";
      again.hidden = true;
      notice.replaceChildren(panel);
      notice.hidden = false;
      for (const part of [figures.root, chartRow, lists]) part.hidden = true;
    },
    /** The figures could not be renewed: the old ones stay, and say so. */
    stale(problem) {
      state.textContent = `Not updated: ${problem.detail ?? problem.message}`;
    },
  };
}

function spanOf({ first, end, days }) {
  const last = addDays(end, -1);
  return days === 1 ? format.dayLong(first) : `${format.dayPlain(first)} – ${format.dayPlain(last)}`;
}
