// The figures of `overview`: four headline cards, a row of others, and the money of each currency.

import { el, replace } from "../../shared/dom.js";
import { changeOf } from "./change.js";
import * as format from "./format.js";
import { createMoneyTable, moneyIn } from "./money.js";

// Each figure: its field, its label, how it is written, and how its change is told. `better` says
// which direction is good news, `money` that it is of one currency, `shown` when it is left out.
const HEADLINE = [
  figure("total_visits", "Visits", format.count),
  figure("unique_visitors", "Unique visitors", format.count),
  figure("conversion_rate", "Conversion rate", format.rate, { points: true, hint: () => "Orders per 100 visits" }),
  figure("average_order_value", "Average order", format.money, { money: true }),
];
const OTHERS = [
  figure("orders", "Orders", format.count, { money: true }),
  figure("revenue", "Revenue", format.money, { money: true }),
  figure("refunded", "Refunded", format.money, {
    money: true,
    better: "down",
    shown: (of) => of.refunds > 0,
    hint: (of) => format.plural(of.refunds, "refund"),
  }),
  figure("net_revenue", "Net revenue", format.money, {
    money: true,
    shown: (of) => of.refunds > 0,
    hint: () => "Revenue less what was refunded",
  }),
  figure("visit_conversion_rate", "Visits with an order", format.rate, {
    points: true,
    shown: (of) => of.visit_conversion_rate !== undefined,
    hint: (of) => `${format.count(of.converted_visits ?? null)} of ${format.plural(of.total_visits, "visit")}`,
  }),
  figure("page_views", "Page views", format.count),
  figure("bounce_rate", "Bounce rate", format.rate, {
    points: true,
    better: "down",
    hint: () => "Visits with one page view and no event",
  }),
  figure("average_visit_seconds", "Average visit", format.duration),
];

function figure(field, label, write, options = {}) {
  const defaults = { points: false, better: "up", money: false, shown: () => true, hint: () => null };
  return { field, label, write, ...defaults, ...options, testId: field.replaceAll("_", "-") };
}

/** Makes them all; `loading()` blanks them, `show({ overview, previous, period })` fills them. */
export function createFigures() {
  const cells = [...HEADLINE, ...OTHERS].map((one) => ({ ...one, ...cell(one) }));
  const headline = el("dl", { class: "headline" }, cells.slice(0, HEADLINE.length).map(({ root }) => root));
  const others = el("dl", { class: "others" }, cells.slice(HEADLINE.length).map(({ root }) => root));
  const heading = el("h2", { class: "visually-hidden", id: "figures-title" }, "Key figures");
  const disputed = el("p", { class: "quiet disputed", hidden: true, data: { testid: "disputed-orders" } });
  const table = createMoneyTable();
  const body = el("div", {}, headline, others, disputed, table.root);
  return {
    root: el("section", { class: "figures", "aria-labelledby": "figures-title" }, heading, body),
    body,
    loading() {
      for (const { root, value, change, optional } of cells) {
        root.hidden = optional;
        delete value.dataset.value;
        replace(value, el("span", { class: "skeleton figure-skeleton", "aria-hidden": "true" }));
        replace(change);
      }
      disputed.hidden = true;
      table.show([]);
    },
    show({ overview, previous, period }) {
      for (const one of cells) fill(one, overview, previous, period);
      disputed.hidden = !(overview.disputed_orders > 0);
      disputed.textContent = disputedText(overview.disputed_orders);
      table.show(overview.by_currency ?? []);
    },
  };
}

function cell({ label, testId, shown }) {
  const value = el("span", { class: "value", data: { testid: testId } });
  const change = el("span", { class: "change" });
  const code = el("abbr", { class: "code" });
  const root = el("div", { class: "figure" }, el("dt", {}, label, code), el("dd", {}, value, change));
  return { root, value, change, code, optional: !shown({}) };
}

function fill(one, overview, previous, period) {
  const { root, field, write, value, change, code, money, shown, hint } = one;
  const { currency } = overview;
  const of = money ? { ...overview, ...moneyIn(overview, currency) } : overview;
  const current = of[field] ?? null;
  root.hidden = !shown(of);
  root.title = hint(of) ?? "";
  code.textContent = money && currency ? currency : "";
  value.dataset.value = current === null ? "" : String(current);
  format.writeInto(value, write(current, currency));
  const comparable = previous?.total_visits > 0 ? (money ? moneyIn(previous, currency) : previous) : null;
  const before = comparable?.[field] ?? null;
  const known = current !== null && before !== null;
  replace(change, known ? changeOf(current, before, { ...one, currency, period }) : null);
}

function disputedText(count) {
  if (!(count > 0)) return "";
  return `${format.plural(count, "order")} disputed: browsers reported different orders under one number. `
    + "The first report counts until your shop reports the order with its API key.";
}
