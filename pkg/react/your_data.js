import { createElement as h, useCallback, useEffect, useState } from "react";
import { useVisitflow } from "./provider.js";

const TEXTS = {
  visit: (site, date, pages) => `${site}, ${date.toLocaleString()}, pages viewed: ${pages}`,
  empty: "Nothing is stored of this browser.",
  download: "Download as JSON",
  erase: "Erase all of it",
  sure: "It will be deleted for good, and you will be signed out.",
  yes: "Erase it",
  no: "Keep it",
  erased: "Everything that was stored of this browser is erased.",
  refused: "This browser cannot prove that the data is its own. Please ask the owner of this site for it.",
  failed: "Your data cannot be shown or changed at the moment. Please try again.",
};

const save = (told) => {
  const href = URL.createObjectURL(new Blob([JSON.stringify(told, null, 2)], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href, download: "your-data.json" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
};

export function YourData({ texts, className = "visitflow-your-data" }) {
  const say = { ...TEXTS, ...texts };
  const { visitorData, revoke } = useVisitflow();
  const [told, setTold] = useState(); // null: nothing is stored
  const [trouble, setTrouble] = useState();
  const [asks, setAsks] = useState(false);
  const [busy, setBusy] = useState(false);
  const [erased, setErased] = useState(false);

  const failed = (error) => setTrouble(error.status === 403 ? "refused" : "failed");
  useEffect(() => {
    let gone = false; // an answer that comes after that is nobody's
    visitorData().then((told) => gone || setTold(told), (error) => gone || failed(error));
    return () => void (gone = true);
  }, [visitorData]);
  const erase = useCallback(async () => {
    setBusy(true);
    await revoke({ erase: true }).then(() => setErased(true), failed);
    setBusy(false);
    setAsks(false);
  }, [revoke]);

  const button = (text, onClick) => h("button", { type: "button", disabled: busy, onClick }, text);
  const visit = ({ id, site, started_at, page_views = [] }) =>
    h("li", { key: id }, say.visit(site, new Date(started_at), page_views.length));
  const shown = () => {
    if (erased) return h("p", { role: "status" }, say.erased);
    if (told === null) return h("p", null, say.empty);
    if (!told) return null;
    if (asks) return h("p", null, say.sure, " ", button(say.yes, erase), " ", button(say.no, () => setAsks(false)));
    return [
      h("ul", { key: "visits" }, told.visits.map(visit)),
      h("p", { key: "buttons" }, button(say.download, () => save(told)), " ", button(say.erase, () => setAsks(true))),
    ];
  };
  return h("section", { className, "aria-busy": busy || (told === undefined && !trouble) },
    shown(), trouble && h("p", { role: "alert" }, say[trouble]));
}
