// A ranked list as a table whose rows carry a bar: top pages, referrers.

import { el, replace } from "../../shared/dom.js";
import * as format from "./format.js";

const SKELETON_ROWS = 6;

/**
 * Makes a panel. `columns` are `[label, field]` pairs, the first of which sizes the bars; `rows` takes
 * the rows off the report; `name` gives a row's name as it is stored, null for one that has none, and
 * `nodes` the name as it is shown; `empty` is said when there is no row.
 */
export function createTopList({ title, testId, rowHead, columns, rows, name, nodes, empty }) {
  const id = `${testId}-title`;
  const body = el("div", { data: { testid: testId } });
  return {
    root: el("section", { class: "panel", "aria-labelledby": id },
      el("div", { class: "panel-head" }, el("h2", { id }, title)), body),
    body,
    loading() {
      replace(body, el("div", { "aria-hidden": "true" },
        Array.from({ length: SKELETON_ROWS }, () => el("div", { class: "skeleton row-skeleton" }))));
    },
    show(report) {
      const listed = rows(report);
      if (listed.length === 0) return replace(body, el("p", { class: "quiet" }, empty));
      const most = Math.max(...listed.map((row) => row[columns[0][1]]), 1);
      return replace(body, el("table", { class: "toplist" },
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, rowHead),
          columns.map(([label]) => el("th", { scope: "col" }, label)))),
        el("tbody", {}, listed.map((row) => rowOf(row, { columns, name, nodes, most })))));
    },
  };
}

function rowOf(row, { columns, name, nodes, most }) {
  const bar = el("span", { class: "share", "aria-hidden": "true" });
  bar.style.width = `${(row[columns[0][1]] / most) * 100}%`;
  return el("tr", {},
    el("th", { scope: "row" }, bar, el("span", { class: "name", title: name(row) }, nodes(row))),
    columns.map(([, field]) => el("td", {}, cellText(row[field]))));
}

/** The column is narrow: what is longer than a million is written short. */
function cellText(value) {
  return value < 1_000_000 ? format.count(value) : format.compactCount(value);
}
