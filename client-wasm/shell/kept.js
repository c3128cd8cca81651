// Facts that wait are kept over the end of the page, with consent: each under a key of its own in localStorage, so
// that no tab overwrites what another wrote.

import { attempt } from "./attempt.js";
import { ORDER } from "./generated.js";
import { settle } from "./confirm.js";
import { json } from "./json.js";
import { uncount } from "./numbers.js";
import { tellKept } from "./rust.js";
import { named } from "./visitor.js";

const KEY = "visitflow:";

/** How long another page leaves a fact to the one that keeps it, in ms. */
const CLAIM_MS = 60000;

const mine = new Set(); // keys of facts that this page sees to

/** Keeps a fact of the visitor. */
export const keep = ({ key, path, at, body }) => {
  mine.add(key);
  attempt(() => localStorage.setItem(KEY + key, json({ claimed: Date.now(), visitor: named(), path, at, body })));
};

/** Keeps a fact no longer: it is stored, or given up. A page that waits for that hears of it (confirm.js). */
export const drop = (fact) => {
  if (mine.delete(fact.key)) attempt(() => localStorage.removeItem(KEY + fact.key));
  settle(fact);
};

const names = () => attempt(() => Object.keys(localStorage).filter((name) => name.startsWith(KEY))) ?? [];

/** Drops those that this page sees to. */
export const dropKept = () => {
  uncount();
  for (const key of mine) attempt(() => localStorage.removeItem(KEY + key));
  mine.clear();
};

/** Tells of what pages before this one could not send. */
export const adopt = () => {
  for (const name of names()) {
    const key = name.slice(KEY.length);
    attempt(() => {
      const { claimed, visitor, path, at, body } = JSON.parse(localStorage[name]);
      if (mine.has(key) || !body) return;
      // It belongs to a visitor who took consent back where this page was not told.
      if (visitor != named()) return localStorage.removeItem(name);
      if (Math.abs(Date.now() - claimed) < CLAIM_MS) return;
      mine.add(key);
      tellKept({ key, path, at, body }, path == ORDER);
    });
  }
};
