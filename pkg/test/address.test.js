// Addresses as they are reported: client-wasm/shell/address.js.

import assert from "node:assert/strict";
import { test } from "node:test";
import { reported, told } from "../../client-wasm/shell/address.js";

test("fragments are left out unless they route", () => {
  assert.equal(reported("https://a.example/b?c#d"), "https://a.example/b?c");
  assert.equal(reported("https://a.example/#/b"), "https://a.example/#/b");
  assert.equal(reported("https://a.example/#!b"), "https://a.example/#!b");
});

test("an address too long is cut to what the server takes", () => {
  const long = "https://a.example/b?utm_source=news&x=" + "x".repeat(3000);
  assert.equal(reported(long), long.slice(0, 2048));
  assert.equal(reported("https://a.example/#/b?" + "x".repeat(3000)).length, 2048);
  const fits = "https://a.example/b?" + "x".repeat(2028);
  assert.equal(reported(fits), fits);
});

test("parameters whose names look like secrets are left out", () => {
  for (const [given, expected] of [
    ["?token=1&a=b", "?a=b"],
    ["?a=b&resetToken=1", "?a=b"],
    ["?a=b&token=1&secret=2&c=d#/e", "?a=b&c=d#/e"],
    ["?token=1", ""],
    ["#/reset?code=1&page=2", "#/reset?page=2"],
    ["?email=ada%40example.com&utm_source=news", "?utm_source=news"],
    ["?tokenizer=1&passwordless=2&zipcode=3", "?tokenizer=1&passwordless=2&zipcode=3"],
    ["?q=token", "?q=token"],
  ]) {
    assert.equal(told("https://a.example/" + given), "https://a.example/" + expected, given);
  }
});
