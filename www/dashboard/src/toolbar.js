// What to look at: the range presets, a custom range, the site, the currency.

import { el, replace } from "../../shared/dom.js";
import { hostText } from "./address/show.js";
import { MAX_DAYS, addDays, dayText, daysBetween, parseDay } from "./period.js";
import { PRESETS } from "./selection.js";

const LABELS = { today: "Today", 7: "7 days", 30: "30 days", 90: "90 days" };

/** Makes the toolbar; `choose(change)` is told what the reader picks. */
export function createToolbar(choose) {
  const presets = PRESETS.map((range) =>
    el("button", { type: "button", class: "segment", data: { testid: `range-${range}` },
      on: { click: () => choose({ range, from: null, to: null }) } }, LABELS[range]));
  const custom = createCustom(choose);
  const site = createSelect("Site", "site-filter", (value) => choose({ site: value || null, currency: null }));
  const currency = createSelect("Currency", "currency-filter", (value) => choose({ currency: value }));

  let known = [];
  const offerKnown = (selection) => {
    const sites = [...new Set([...known, selection.site].filter(Boolean))];
    const shown = sites.length > 1 || selection.site !== null;
    site.offer([["", "All sites"], ...sites.map((name) => [name, hostText(name)])], selection.site ?? "", shown);
  };

  return {
    root: el("div", { class: "toolbar" },
      el("div", { class: "segments", role: "group", "aria-label": "Date range" }, presets, custom.root),
      el("div", { class: "filters" }, site.root, currency.root)),
    /** Marks what is selected. */
    mark(selection, period) {
      presets.forEach((button, index) => button.setAttribute("aria-pressed", String(PRESETS[index] === selection.range)));
      custom.mark(selection, period);
      offerKnown(selection);
    },
    /** Offers these sites, and the one that is selected. One choice is no choice and stays hidden. */
    offerSites(selection, names) {
      known = names;
      offerKnown(selection);
    },
    /** Offers the currencies that the answer knows. */
    offerCurrencies(overview) {
      const codes = (overview.by_currency ?? []).map((one) => one.currency);
      currency.offer(codes.map((code) => [code, code]), overview.currency ?? "", codes.length > 1);
    },
  };
}

function createSelect(label, id, changed) {
  const select = el("select", { id, class: "input", data: { testid: id }, on: { change: () => changed(select.value) } });
  const root = el("div", { class: "filter", hidden: true }, el("label", { for: id }, label), select);
  let offered = null;
  return {
    root,
    offer(options, value, shown) {
      root.hidden = !shown;
      // A list that is open is not pulled away.
      if (JSON.stringify(options) !== offered) replace(select, options.map(([key, text]) => el("option", { value: key }, text)));
      offered = JSON.stringify(options);
      select.value = value;
      select.title = value;
    },
  };
}

function createCustom(choose) {
  const from = dateInput("range-from");
  const to = dateInput("range-to");
  const error = el("p", { class: "form-error", role: "alert" });
  const summary = el("summary", { class: "segment", data: { testid: "range-custom" } }, "Custom");
  const submit = (event) => {
    event.preventDefault();
    error.textContent = mistakeOf(from.value, to.value);
    if (error.textContent) return;
    root.open = false;
    choose({ range: "custom", from: from.value, to: to.value });
    summary.focus();
  };
  const root = el("details", { class: "custom" }, summary,
    el("form", { class: "panel popover", on: { submit } },
      el("div", { class: "field" }, el("label", { for: from.id }, "From"), from),
      el("div", { class: "field" }, el("label", { for: to.id }, "To, included"), to),
      error, el("button", { class: "button primary" }, "Show")));

  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.open) return;
    root.open = false;
    summary.focus();
  });
  document.addEventListener("click", (event) => {
    if (root.open && !root.contains(event.target)) root.open = false;
  });
  return {
    root,
    mark({ range }, { first, end }) {
      summary.classList.toggle("selected", range === "custom");
      from.value = dayText(first);
      to.value = dayText(addDays(end, -1));
      error.textContent = "";
    },
  };
}

function dateInput(id) {
  return el("input", { id, type: "date", class: "input", required: true, data: { testid: id } });
}

function mistakeOf(from, to) {
  if (!from || !to) return "Give both days.";
  if (to < from) return "The first day is after the last one.";
  const days = daysBetween(parseDay(from), addDays(parseDay(to), 1));
  return days > MAX_DAYS ? `At most ${MAX_DAYS} days fit in one chart.` : "";
}
