// A small panel for the curious: what visitflow knows at this moment, as its snapshot says.

import { el, replace } from "../../shared/dom.js";
import { dashboardLink } from "../../shared/hosts.js";
import { client } from "./tracking.js";

const EVERY_MS = 1000;

export function createInsight(parent) {
  const facts = el("dl", { class: "insight-facts" });
  const panel = el("div", { class: "insight-panel", id: "insight-panel", hidden: true },
    el("h2", {}, "What visitflow knows"), facts,
    el("p", { class: "quiet" }, "The session itself is in a cookie that no script can read."),
    el("a", { href: dashboardLink() }, "Open the dashboard"));
  const toggle = el("button", {
    type: "button",
    class: "insight-toggle",
    "aria-expanded": "false",
    "aria-controls": "insight-panel",
    data: { testid: "insight" },
  }, "What visitflow knows");
  let timer = null;
  let shown = "";

  const update = async () => {
    const rows = await rowsNow();
    const text = JSON.stringify(rows);
    if (text === shown) return;
    shown = text;
    replace(facts, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  };
  const setOpen = (open) => {
    panel.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    clearInterval(timer);
    if (!open) return;
    update();
    timer = setInterval(update, EVERY_MS);
  };
  toggle.addEventListener("click", () => setOpen(panel.hidden));
  parent.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    setOpen(false);
    toggle.focus();
  });
  replace(parent, panel, toggle);
}

async function rowsNow() {
  const loaded = client();
  if (!loaded) return [["script", "not loaded (blocked, or still on its way)"]];
  try {
    const snapshot = await loaded.snapshot();
    const rows = Object.entries(snapshot ?? {}).map(([name, value]) => [name.replaceAll("_", " "), textOf(name, value)]);
    return [...rows, ["cookies a script can read", cookieNames() || "none"]];
  } catch (error) {
    return [["snapshot", error?.message ?? "not available"]];
  }
}

function textOf(name, value) {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (name === "last_activity") return new Date(value).toLocaleTimeString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function cookieNames() {
  return document.cookie.split("; ").filter(Boolean).map((pair) => pair.split("=")[0]).join(", ");
}
