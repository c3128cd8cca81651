// The board: everything a signed-in admin sees below the header. Each part loads and fails by itself.

import { el } from "../../shared/dom.js";
import { hostNodes, pathNodes } from "./address/show.js";
import { createAsking } from "./asking.js";
import { createChart } from "./chart.js";
import { createEmpty } from "./empty.js";
import { createFigures } from "./figures.js";
import * as format from "./format.js";
import { createLive } from "./live.js";
import { addDays, periodOf } from "./period.js";
import { createReport } from "./report.js";
import * as reports from "./reports.js";
import { createToolbar } from "./toolbar.js";
import { createTopList } from "./toplist.js";

/** A running period is asked for anew this often, an empty one and what happens now more often. */
const REFRESH_MS = 60_000;
const SOON_MS = 10_000;

/**
 * Makes the board. `choose` hears the toolbar, `arrived()` that a report has come, and `left(problem)`
 * says whether a failure is one of the account, which ends the board.
 */
export function createBoard({ choose, arrived, left }) {
  let selection = null;
  const toolbar = createToolbar(choose);
  const [figures, chart, live, pages, referrers] = [createFigures(), createChart(), createLive(), pageList(), referrerList()];
  const empty = createEmpty({ left });
  const spanLabel = el("p", { class: "span" });
  const state = el("p", { class: "quiet", role: "status", data: { testid: "updated" } });
  const again = el("button", { type: "button", class: "link-button", on: { click: () => refresh() } }, "Refresh");
  const lists = el("div", { class: "pair" }, pages.root, referrers.root);
  const chartRow = el("div", { class: "chart-row" }, chart.root, live.root);

  const root = el("div", { class: "board" },
    el("h1", { class: "visually-hidden" }, "Visits"), toolbar.root,
    el("div", { class: "span-row" }, spanLabel, el("div", { class: "state" }, state, again)),
    figures.root, empty.root, chartRow, lists);

  // A period may end while it is looked at: each question is about the one that runs by then.
  const asked = async (report, signal) => {
    const period = periodOf(selection);
    const answer = await report(period, selection, signal);
    arrived();
    return { period, ...answer };
  };
  const whileRunning = ({ period }) => (period.running ? REFRESH_MS : null);
  const join = (part, ask, everyMs = whileRunning, heard) =>
    createReport({ part, everyMs, left, heard, ask: (signal) => asked(ask, signal) });

  const overview = join(
    { ...figures, show },
    async (period, of, signal) => {
      // Only a comparison: without it the figures still stand.
      const before = reports.overview(period.previous, of, signal).catch(() => null);
      return { overview: await reports.overview(period, of, signal), previous: await before };
    },
    ({ period }) => (!period.running ? null : root.dataset.state === "empty" ? SOON_MS : REFRESH_MS),
    (heard) => {
      if (heard === "failed") root.dataset.state = "error";
      if (heard === "failed" || heard === "loading") state.textContent = heard === "loading" ? "Loading…" : "";
      if (heard === "ready") state.textContent = `Updated ${format.clock(new Date())}`;
    },
  );
  const others = [
    join(chart, async (...of) => ({ timeseries: await reports.timeseries(...of) })),
    join(pages, reports.pages),
    join(referrers, reports.referrers),
  ];
  // Without its list of sites the board is as good as before.
  const sites = createAsking({
    ask: (signal) => asked(reports.sites, signal),
    answered(answer) {
      toolbar.offerSites(selection, answer.sites.map(({ site }) => site));
      return whileRunning(answer);
    },
    failed: () => {},
    left,
  });
  const all = [sites, overview, ...others, join(live, (_, of, signal) => reports.live(of, signal), () => SOON_MS)];

  function refresh() {
    mark();
    for (const one of all) one.refresh();
  }

  function mark() {
    const period = periodOf(selection);
    toolbar.mark(selection, period);
    spanLabel.textContent = spanOf(period);
  }

  function setEmpty(isEmpty) {
    const begins = root.dataset.state === "empty" && !isEmpty;
    root.dataset.state = isEmpty ? "empty" : "ready";
    chart.root.hidden = isEmpty;
    lists.hidden = isEmpty;
    if (begins) for (const one of others) one.refresh();
  }

  function show(answer) {
    const isEmpty = hasNothing(answer.overview);
    setEmpty(isEmpty);
    if (isEmpty) empty.show(answer.period, selection.site);
    else empty.hide();
    mark();
    toolbar.offerCurrencies(answer.overview);
    figures.show(answer);
  }

  return {
    root,
    /** Shows a selection from the beginning. */
    load(next) {
      selection = next;
      root.dataset.state = "loading";
      chart.root.hidden = lists.hidden = false;
      empty.hide();
      mark();
      for (const one of all) one.start();
    },
    stop() {
      for (const one of all) one.stop();
      empty.hide();
    },
  };
}

function pageList() {
  return createTopList({
    title: "Top pages", testId: "top-pages", rowHead: "Page",
    rows: (report) => report.pages, name: (row) => row.path, nodes: (row) => pathNodes(row.path),
    columns: [["Views", "page_views"], ["Visits", "visits"]], empty: "No page views in this range.",
  });
}

function referrerList() {
  return createTopList({
    title: "Referrers", testId: "referrers", rowHead: "Came from",
    rows: (report) => report.referrers, name: (row) => row.referrer,
    nodes: (row) => (row.referrer === null ? "Direct" : hostNodes(row.referrer)),
    columns: [["Visits", "visits"]], empty: "No visits in this range.",
  });
}

function hasNothing({ total_visits, page_views, orders, by_currency }) {
  return total_visits === 0 && page_views === 0 && orders === 0 && !(by_currency?.length > 0);
}

function spanOf({ first, end, days }) {
  const last = addDays(end, -1);
  return days === 1 ? format.dayLong(first) : `${format.dayPlain(first)} – ${format.dayPlain(last)}`;
}
