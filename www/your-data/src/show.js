// How rows are shown: every field that has a value, by its name.

import { el } from "../../shared/dom.js";
import { WITHIN } from "../../../pkg/src/everything.js";

const TITLES = {
  page_views: "Pages viewed",
  events: "Events",
  orders: "Orders",
  refunds: "Refunds",
  sessions: "Sessions",
};

/** Everything that was told. */
export function everything({ visits, orders, refunds }) {
  const newest = [...visits].sort((one, other) => (one.started_at < other.started_at ? 1 : -1));
  return [
    newest.map(visit),
    list("orders", orders),
    list("refunds", refunds),
  ];
}

function visit(visit) {
  const { site, started_at, page_views = [] } = visit;
  const title = `${site}, ${date(started_at)} (${page_views.length} ${page_views.length === 1 ? "page" : "pages"})`;
  return el("details", { class: "visit", data: { testid: "visit" } },
    el("summary", null, title),
    fields(visit),
    WITHIN.map((name) => list(name, visit[name] ?? [])));
}

function list(name, rows) {
  if (rows.length === 0) return null;
  return el("section", { data: { testid: name } },
    el("h3", null, TITLES[name]),
    el("ul", null, rows.map((row) => el("li", null, fields(row)))));
}

function fields(row) {
  const told = Object.entries(row).filter(([name, value]) => value !== null && !WITHIN.includes(name));
  return el("dl", { class: "fields" }, told.map(([name, value]) => [
    el("dt", null, name.replaceAll("_", " ")),
    el("dd", null, text(name, value)),
  ]));
}

function text(name, value) {
  if (typeof value === "object") return JSON.stringify(value);
  return name.endsWith("_at") || name === "last_activity" ? date(value) : String(value);
}

const date = (text) => new Date(text).toLocaleString();
