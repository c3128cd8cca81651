// The figures of `overview`: four headline cards and a row of others.

import { el, replace } from "../../shared/dom.js";
import * as format from "./format.js";

// Each figure: its field, its label, how it is written, and how its change is told. `better` says
// which direction is good news.
const HEADLINE = [
  figure("total_visits", "Visits", format.count),
  figure("unique_visitors", "Unique visitors", format.count),
  figure("conversion_rate", "Conversion rate", format.rate, { points: true, hint: "Orders per 100 visits" }),
  figure("average_order_value", "Average order value", format.money),
];
const OTHERS = [
  figure("orders", "Orders", format.count),
  figure("revenue", "Revenue", format.money),
  figure("page_views", "Page views", format.count),
  figure("bounce_rate", "Bounce rate", format.rate, {
    points: true,
    better: "down",
    hint: "Visits with one page view and no event",
  }),
  figure("average_visit_seconds", "Average visit", format.duration),
];

function figure(field, label, write, { points = false, better = "up", hint = null } = {}) {
  return { field, label, write, points, better, hint, testId: field.replaceAll("_", "-") };
}

/** Makes both rows; `loading()` blanks them, `show(overview, previous, period)` fills them. */
export function createFigures() {
  const cells = [...HEADLINE, ...OTHERS].map((one) => ({ ...one, ...cell(one) }));
  const headline = el("dl", { class: "headline" }, cells.slice(0, HEADLINE.length).map(({ root }) => root));
  const others = el("dl", { class: "others" }, cells.slice(HEADLINE.length).map(({ root }) => root));
  const heading = el("h2", { class: "visually-hidden", id: "figures-title" }, "Key figures");
  return {
    root: el("section", { "aria-labelledby": "figures-title" }, heading, headline, others),
    loading() {
      for (const { value, change } of cells) {
        delete value.dataset.value;
        replace(value, el("span", { class: "skeleton figure-skeleton", "aria-hidden": "true" }));
        replace(change);
      }
    },
    show(overview, previous, period) {
      for (const one of cells) fill(one, overview, previous, period);
    },
  };
}

function cell({ label, hint, testId }) {
  const value = el("span", { class: "value", data: { testid: testId } });
  const change = el("span", { class: "change" });
  const root = el("div", { class: "figure", title: hint }, el("dt", {}, label), el("dd", {}, value, change));
  return { root, value, change };
}

function fill(one, overview, previous, period) {
  const { field, write, value, change } = one;
  const current = overview[field] ?? null;
  value.dataset.value = current === null ? "" : String(current);
  replace(value, write(current, overview.currency));
  const comparable = previous?.total_visits > 0 && (write !== format.money || previous.currency === overview.currency);
  const before = comparable ? (previous[field] ?? null) : null;
  const known = current !== null && before !== null;
  replace(change, known ? changeOf(current, before, { ...one, currency: overview.currency, period }) : null);
}

function changeOf(current, before, { points, better, write, currency, period }) {
  if (!points && before === 0) return null;
  const difference = current - before;
  const amount = points ? format.pointChange(difference) : format.relativeChange(difference / before);
  const flat = amount === (points ? format.pointChange(0) : format.relativeChange(0));
  const direction = flat ? "flat" : difference > 0 ? "up" : "down";
  const mood = flat ? "even" : direction === better ? "good" : "bad";
  const span = period.days === 1 ? "the day before" : `the ${period.days} days before`;
  const title = `${write(before, currency)} in ${span}${period.running ? ", up to the same time" : ""}`;
  const arrow = { up: "↑", down: "↓", flat: "→" }[direction];
  const spoken = { up: "up by ", down: "down by ", flat: "unchanged, " }[direction];
  return el(
    "span",
    { class: `delta ${mood}`, title },
    el("span", { "aria-hidden": "true" }, `${arrow} `),
    el("span", { class: "visually-hidden" }, spoken),
    amount,
    el("span", { class: "visually-hidden" }, `: ${title}`),
  );
}
