// Links between shop and dashboard.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dashboardLink, shopLink } from "../shared/hosts.js";

test("on this machine the shop and the dashboard are on a host each", () => {
  const shop = new URL("http://127.0.0.1:8080/demo/thanks?a#b");
  const dashboard = new URL("http://localhost:8080/dashboard?range=7d");
  assert.equal(dashboardLink(shop), "http://localhost:8080/dashboard");
  assert.equal(shopLink(dashboard), "http://127.0.0.1:8080/demo");
});

test("everywhere else the links stay on the page's origin", () => {
  for (const host of ["stats.example", "[::1]:8080", "10.0.0.1"]) {
    assert.equal(dashboardLink(new URL(`https://${host}/demo`)), "/dashboard");
    assert.equal(shopLink(new URL(`https://${host}/dashboard`)), "/demo");
  }
  assert.equal(dashboardLink(new URL("http://localhost:8080/demo")), "/dashboard");
  assert.equal(shopLink(new URL("http://127.0.0.1:8080/dashboard")), "/demo");
});
