// Money is told for each currency by itself: amounts of two are never added.

import { el, replace } from "../../shared/dom.js";
import * as format from "./format.js";

const COLUMNS = [
  ["orders", "Orders", format.count],
  ["revenue", "Revenue", format.money],
  ["average_order_value", "Average order", format.money],
  ["refunds", "Refunds", format.count],
  ["refunded", "Refunded", format.money],
  ["net_revenue", "Net revenue", format.money],
];
const OF_REFUNDS = new Set(["refunds", "refunded", "net_revenue"]);

/** The money of one currency in an `overview`, wherever it stands; null where there is none. */
export function moneyIn(overview, currency) {
  const listed = (overview.by_currency ?? []).find((one) => one.currency === currency);
  return listed ?? (overview.currency === currency ? overview : null);
}

/** A table with a row for each currency; it shows itself where there are several. */
export function createMoneyTable() {
  const body = el("div", {});
  const root = el("section", { class: "panel", hidden: true, "aria-labelledby": "money-title", data: { testid: "by-currency" } },
    el("div", { class: "panel-head" }, el("h3", { id: "money-title" }, "By currency")), body);
  return {
    root,
    show(rows) {
      root.hidden = rows.length < 2;
      replace(body, root.hidden ? null : tableOf(rows));
    },
  };
}

function tableOf(rows) {
  const refunds = rows.some((row) => row.refunds > 0);
  const columns = COLUMNS.filter(([field]) => refunds || !OF_REFUNDS.has(field));
  return el("table", { class: "money" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Currency"),
      columns.map(([, label]) => el("th", { scope: "col" }, label)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, el("th", { scope: "row" }, row.currency),
      columns.map(([field, label, write]) => cellOf(row, field, label, write))))));
}

function cellOf(row, field, label, write) {
  const value = row[field] ?? null;
  const cell = el("td", { data: { label, testid: `${field.replaceAll("_", "-")}-${row.currency}`, value: value ?? "" } });
  format.writeInto(cell, write(value, row.currency));
  return cell;
}
