// What the dashboard says when something went wrong, and what it offers to copy.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isOrigin, printable, tagFor } from "../dashboard/src/empty.js";
import { moneyIn } from "../dashboard/src/money.js";
import { reasonsFor } from "../dashboard/src/notices.js";
import { failureText } from "../dashboard/src/report.js";
import { isLoopback } from "../shared/hosts.js";

const reasons = (address) => reasonsFor(new URL(address)).join(" ");

test("a report that fails says so in words of its own, and when it is tried again", () => {
  const stored = "The server cannot do this right now, and nothing of this request was stored.";
  const text = failureText({ status: 503, detail: stored }, 8000);
  assert.equal(text, "Could not be loaded. The server is busy, or its database does not answer. Next try in 8 seconds.");
  assert.match(failureText({ status: 0, detail: "The server cannot be reached." }, 2000, new Date()), /^Not updated since .* cannot be reached\. Next/);
  assert.equal(failureText({ status: 400, detail: "`tz` is no time zone." }, null), "Could not be loaded. `tz` is no time zone.");
});

test("a sign-in whose cookie is dropped is told why", () => {
  for (const host of ["stats.example", "10.0.0.7:8080", "192.168.1.5", "[2001:db8::1]:8080"]) {
    assert.match(reasons(`http://${host}/dashboard`), /marked Secure.*https:\/\/.*TLS proxy/s);
  }
  for (const host of ["localhost:8080", "127.0.0.1", "[::1]:8080", "shop.localhost"]) {
    assert.match(reasons(`http://${host}/dashboard`), /start the server with --cookie-secure auto/);
    assert.doesNotMatch(reasons(`http://${host}/dashboard`), /TLS proxy/);
  }
  assert.match(reasons("https://stats.example/dashboard"), /Allow cookies/);
  assert.doesNotMatch(reasons("https://stats.example/dashboard"), /Secure/);
});

test("only this machine itself is this machine", () => {
  for (const host of ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"]) assert.equal(isLoopback(host), true, host);
  for (const host of ["localhost.example", "127.0.0.1.example", "10.0.0.1", "[::2]", "notlocalhost", ""]) assert.equal(isLoopback(host), false, host);
});

test("only an origin is offered as a flag", () => {
  for (const origin of ["https://shop.example", "http://127.0.0.1:8080", "https://xn--mnchen-3ya.de", "http://[::1]:80".slice(0, 12)]) {
    assert.equal(isOrigin(origin), true, origin);
  }
  for (const text of ["null", "https://shop.example/", "https://shop.example;rm -rf ~", "https://$(id)", "https://`id`", "javascript:alert(1)", "https://a b", "HTTPS://SHOP.example", "https://shop.example:443", "https://a\u202Eb", ""]) {
    assert.equal(isOrigin(text), false, text);
  }
});

test("what a header brought is printed so that it can be seen", () => {
  assert.equal(printable("https://a\u202E\n b"), "https://a\\u{202e}\\u{a}\\u{20}b");
  assert.equal(printable("https://shop.example"), "https://shop.example");
});

test("the tag that is offered counts without more", () => {
  assert.equal(tagFor("https://stats.example"), '<script src="https://stats.example/visitflow.js" data-consent="granted" defer></script>');
});

test("money is found by its currency", () => {
  const euro = { currency: "EUR", orders: 1, revenue: 10 };
  const several = { currency: "EUR", orders: 3, revenue: 10, by_currency: [euro, { currency: "USD", orders: 2 }] };
  assert.equal(moneyIn(several, "EUR").orders, 1);
  assert.equal(moneyIn(several, "USD").orders, 2);
  assert.equal(moneyIn(several, "SEK"), null);
  assert.equal(moneyIn({ currency: "EUR", orders: 1 }, "EUR").orders, 1, "an answer without the list");
});
