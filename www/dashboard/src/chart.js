// Visits and page views over time: a uPlot chart for the eye, a table for everyone else.

import uPlot from "uplot";
import { el, replace } from "../../shared/dom.js";
import * as format from "./format.js";
import { columnsOf } from "./series.js";

const DAY = 86_400;
const HOURS_APART = [1, 2, 3, 4, 6, 12, 24];
const DAYS_APART = [1, 2, 3, 4, 7, 14, 28, 56, 91, 182, 364];
const COUNTS = [1, 2, 5].flatMap((step) => Array.from({ length: 10 }, (_, power) => step * 10 ** power)).sort((a, b) => a - b);

/** Makes the chart's panel; `loading()` blanks it, `show({ timeseries, period })` draws it. */
export function createChart() {
  const plot = el("div", { class: "plot", data: { testid: "chart" }, "aria-hidden": "true" });
  const table = el("div", { class: "series-table", tabindex: "0", role: "region", "aria-label": "Visits and page views as a table" });
  const title = el("h2", { id: "chart-title" }, "Visits and page views");
  const legend = el("p", { class: "legend" }, key("visits", "Visits"), key("views", "Page views"));
  const summary = el("p", { class: "visually-hidden" });
  const details = el("details", { class: "as-table" }, el("summary", {}, "Show as a table"), table);
  const body = el("div", { class: "chart-body" }, summary, plot, details);
  let drawn = null;

  const draw = () => {
    drawn?.chart.destroy();
    if (drawn) drawn.chart = plotOf(plot, drawn);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    const size = sizeOf(plot);
    const same = drawn && size.width === drawn.chart.width && size.height === drawn.chart.height;
    if (drawn && !same && plot.clientWidth > 0) drawn.chart.setSize(size);
  }).observe(plot);

  return {
    root: el("section", { class: "panel chart-panel", "aria-labelledby": "chart-title" },
      el("div", { class: "panel-head" }, title, legend), body),
    body,
    loading() {
      drawn?.chart.destroy();
      drawn = null;
      replace(plot, el("div", { class: "skeleton plot-skeleton" }));
      replace(table);
      details.hidden = true;
    },
    show({ timeseries, period }) {
      if (!drawn) replace(plot);
      const columns = columnsOf(timeseries, period);
      const data = { columns, interval: timeseries.interval };
      drawn?.chart.destroy();
      drawn = { ...data, chart: plotOf(plot, data) };
      summary.textContent = summaryOf(data);
      details.hidden = false;
      replace(table, tableOf(data));
    },
  };
}

function key(kind, label) {
  return el("span", { class: `key ${kind}` }, label);
}

function sizeOf(plot) {
  // While the panel is hidden it has no size; uPlot needs some.
  return { width: Math.max(plot.clientWidth, 120), height: Math.max(plot.clientHeight, 120) };
}

function plotOf(parent, { columns, interval }) {
  const style = getComputedStyle(parent);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = `12px ${colour("--sans")}`;
  const step = interval === "hour" ? 3600 : DAY;
  const axis = { stroke: colour("--muted"), font, ticks: { show: false } };
  const name = interval === "hour" ? hourName(columns[0]) : format.dayShort;
  return new uPlot(
    {
      ...sizeOf(parent),
      padding: [10, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, move: ontoBucket, drag: { x: false, y: false }, points: { size: 8 } },
      scales: {
        x: { range: (_, min, max) => [min - step * 0.6, max + step * 0.6] },
        y: { range: (_, __, max) => [0, Math.max(4, max * 1.08)] },
      },
      axes: [
        { ...axis, size: 30, grid: { show: false }, space: 70,
          incrs: (interval === "hour" ? HOURS_APART : DAYS_APART).map((buckets) => buckets * step),
          // Labels stand under buckets: uPlot's own steps of whole days slip at a clock change.
          splits: (_, __, ___, ____, apart) => columns[0].filter((_, index) => index % Math.round(apart / step) === 0),
          values: (_, splits) => splits.map((second) => name(new Date(second * 1000))) },
        { ...axis, size: 44, gap: 6, incrs: COUNTS, space: 44, grid: { stroke: colour("--line"), width: 1 },
          values: (_, splits) => splits.map(format.compactCount) },
      ],
      series: [
        {},
        { label: "Page views", fill: colour("--views"), width: 0, points: { show: false },
          paths: uPlot.paths.bars({ size: [0.68, 40], radius: [0.18, 0] }) },
        { label: "Visits", stroke: colour("--visits"), width: 2.25,
          points: { show: columns[0].length <= 60, size: 5, fill: colour("--surface"), stroke: colour("--visits"), width: 1.75 } },
      ],
      plugins: [tooltip(interval)],
    },
    [columns[0], columns[2], columns[1]],
    parent,
  );
}

/** The cursor's line stands on a bucket, not between two. */
function ontoBucket(chart, left, top) {
  if (left < 0) return [left, top];
  return [chart.valToPos(chart.data[0][chart.posToIdx(left)], "x"), top];
}

/** Hours of one day need no date; of two days the midnight says which day begins. */
function hourName(starts) {
  const single = starts.length <= 25;
  return (date) => (!single && date.getHours() === 0 ? format.dayShort(date) : format.hour(date));
}

function tooltip(interval) {
  const when = el("strong", {});
  const visits = el("span", { class: "key visits" });
  const views = el("span", { class: "key views" });
  const box = el("div", { class: "tooltip", hidden: true }, when, visits, views);
  return {
    hooks: {
      init: (chart) => chart.over.append(box),
      setCursor: (chart) => {
        const { idx, left } = chart.cursor;
        const blank = idx === null || idx === undefined || left < 0 || chart.data[1][idx] === null;
        box.hidden = blank;
        if (blank) return;
        when.textContent = bucketName(interval)(new Date(chart.data[0][idx] * 1000));
        visits.textContent = format.plural(chart.data[2][idx], "visit");
        views.textContent = format.plural(chart.data[1][idx], "page view");
        const x = chart.valToPos(chart.data[0][idx], "x");
        const flip = x > chart.over.clientWidth / 2;
        box.style.transform = `translate(${flip ? x - box.offsetWidth - 12 : x + 12}px, 4px)`;
      },
    },
  };
}

function bucketName(interval) {
  return interval === "hour" ? format.dayAndHour : format.dayLong;
}

function summaryOf({ columns: [starts, visits], interval }) {
  let peak = -1;
  visits.forEach((value, index) => {
    if (value !== null && (peak < 0 || value > visits[peak])) peak = index;
  });
  if (peak < 0) return "No data yet.";
  const when = bucketName(interval)(new Date(starts[peak] * 1000));
  return `Most visits: ${format.count(visits[peak])}, ${when}. All values are in the table below the chart.`;
}

function tableOf({ columns: [starts, visits, views], interval }) {
  const name = bucketName(interval);
  const rows = starts
    .map((second, index) => [second, visits[index], views[index]])
    .filter(([, value]) => value !== null)
    .map(([second, visitCount, viewCount]) =>
      el("tr", {}, el("th", { scope: "row" }, name(new Date(second * 1000))),
        el("td", {}, format.count(visitCount)), el("td", {}, format.count(viewCount))));
  return el("table", {},
    el("caption", { class: "visually-hidden" }, `Visits and page views for each ${interval}`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, interval === "hour" ? "Hour" : "Day"),
      el("th", { scope: "col" }, "Visits"), el("th", { scope: "col" }, "Page views"))),
    el("tbody", {}, rows));
}
