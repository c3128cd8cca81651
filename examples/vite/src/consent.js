// The visitor's decision: visitflow follows it, the site remembers it.

import { deny, grant } from "visitflow";

const KEY = "consent";
const byId = (id) => document.getElementById(id);

export const consent = () => localStorage.getItem(KEY) ?? "pending";

export const showBanner = () => {
  byId("banner").hidden = consent() !== "pending";
};

byId("accept").addEventListener("click", () => {
  localStorage.setItem(KEY, "granted");
  grant();
  showBanner();
});

byId("decline").addEventListener("click", () => {
  localStorage.setItem(KEY, "denied");
  deny(); // after a grant it also deletes the cookies and ends the session
  showBanner();
});

byId("change").addEventListener("click", () => {
  byId("banner").hidden = false;
});
