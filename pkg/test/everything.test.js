import assert from "node:assert/strict";
import { test } from "node:test";

import { everything } from "../src/everything.js";

test("pages are put together, and a visit that was cut is whole again", async () => {
  const pages = {
    "": { visitor_id: "v_1", visits: [{ id: "a", page_views: [1] }, { id: "b", page_views: [2] }], orders: [], refunds: [], next: "x+y" },
    "?after=x%2By": { visitor_id: "v_1", visits: [{ id: "b", page_views: [3], events: [4], orders: [] }], orders: [5], refunds: [], next: "z" },
    "?after=z": { visitor_id: "v_1", visits: [{ id: "c", page_views: [] }], orders: [6], refunds: [7], next: null },
  };
  const asked = [];
  const told = await everything(async (query) => {
    asked.push(query);
    return pages[query];
  });
  assert.deepEqual(asked, Object.keys(pages));
  assert.deepEqual(told, {
    visitor_id: "v_1",
    visits: [
      { id: "a", page_views: [1] },
      { id: "b", page_views: [2, 3], events: [4], orders: [], refunds: [], sessions: [] },
      { id: "c", page_views: [] },
    ],
    orders: [5, 6],
    refunds: [7],
  });
});
