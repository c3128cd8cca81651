// The options `before`, `query` and `exclude`: src/extras.js, and what facts.js of the shell does with it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { make } from "../../client-wasm/shell/facts.js";
import { isCounted } from "../../client-wasm/shell/page.js";
import { setOptions } from "../../client-wasm/shell/options.js";
import extras, { checkNames } from "../src/extras.js";

const stand = (name, value) => Object.defineProperty(globalThis, name, { configurable: true, value });
stand("window", globalThis);
stand("navigator", {});

/** A page with these options. `body(kind, body)` is what is told of a fact; undefined if it is dropped. */
function page(given, { href = "https://shop.example/", waiting = [] } = {}) {
  stand("location", new URL(href));
  const said = [];
  const options = { complain: (error) => said.push(error + ""), ...given };
  setOptions(options);
  extras(options, waiting);
  const body = (kind, told) => {
    const made = make(kind, 1_790_000_000_000, told)?.body;
    return made && JSON.parse(JSON.stringify({ ...made, id: undefined }));
  };
  return { body, said, waiting, view: (url, more) => body("page_view", { url, ...more }) };
}

const at = (path) => "https://shop.example" + path;

test("without a word of the page a fact is as it was made", () => {
  const view = page({ exclude: ["/admin"] }).view(at("/a?b=c"), { title: "A", device: { screen_width: 8 } });
  assert.deepEqual(view, { url: at("/a?b=c"), title: "A", device: { screen_width: 8 } });
});

test("query names the parameters that are kept beside campaigns", () => {
  const { view } = page({ query: ["page", "q"] });
  assert.equal(view(at("/list?page=2&sort=up&q=red+shoes&mail=ada%40example.com")).url, at("/list?page=2&q=red+shoes"));
  assert.equal(view(at("/?utm_source=news&gclid=1&FBCLID=2&x=3&pages=4")).url, at("/?utm_source=news&gclid=1&FBCLID=2"));
  assert.equal(view(at("/?x=1#/list?y=2&page=3")).url, at("/#/list?page=3"), "of a route, too");
  assert.equal(view(at("/?x=1")).url, at("/"));
  assert.equal(view(at("/?%70age=1")).url, at("/?%70age=1"), "an encoded name is the same name");
  assert.equal(view(at("/"), { referrer: "https://search.example/?q=a&token=b" }).referrer, "https://search.example/?q=a");
});

test("as an attribute the names stand in one text", () => {
  assert.equal(page({ query: "page q" }).view(at("/?page=1&q=2&x=3")).url, at("/?page=1&q=2"));
  for (const none of [[], ""]) assert.equal(page({ query: none }).view(at("/?page=1")).url, at("/"), "none are kept");
});

test("events and orders tell no other address", () => {
  const { body } = page({ query: ["page"] });
  assert.deepEqual(body("event", { url: at("/?x=1"), name: "play" }), { url: at("/"), name: "play" });
  assert.deepEqual(body("order", { url: at("/?x=1"), id: "A1", amount: "5" }).url, at("/"));
});

test("a star stands for a part of a path, two for anything", () => {
  const excluded = (patterns, path) => page({ exclude: patterns }).view(at(path)) == undefined;
  for (const [pattern, path, expected] of [
    ["/admin", "/admin", true],
    ["/admin", "/admin/users", false],
    ["/admin/*", "/admin/users", true],
    ["/admin/*", "/admin/users/7", false],
    ["/admin/*", "/admin", false],
    ["/preview/**", "/preview/a/b", true],
    ["/preview/**", "/preview", true],
    ["/preview/**", "/previews", false],
    ["/*/edit", "/posts/edit", true],
    ["/**/edit", "/posts/7/edit", true],
    ["/a.b", "/axb", false],
    ["/a+(b)", "/a+(b)", true],
    ["/über/*", "/%C3%BCber/x", true],
    ["/100%", "/100%", true],
    ["/#/admin/**", "/#/admin/users?x=1", true],
    ["/#/admin/**", "/", false],
    ["/admin", "/admin?x=1#top", true],
  ]) {
    assert.equal(excluded([pattern], path), expected, `${pattern} ${path}`);
  }
  assert.ok(excluded("/admin/* /preview/**", "/preview/x"), "as an attribute, several");
});

test("of a page that is excluded nothing is told, nor is it a referrer", () => {
  const { body, view } = page({ exclude: "/admin/**" });
  assert.equal(body("event", { url: at("/admin/users"), name: "save" }), undefined);
  assert.equal(body("order", { url: at("/admin/users"), id: "A1" }), undefined);
  assert.equal(view(at("/"), { referrer: at("/admin/users") }).referrer, undefined);
  assert.equal(view(at("/"), { referrer: "https://other.example/admin/users" }).referrer, "https://other.example/admin/users");
});

test("a page that is excluded is no first view, and begins no session", () => {
  const calls = () => [
    { name: "page_view", href: at("/admin/"), given: {} },
    { name: "page_view", href: at("/admin/"), given: { url: at("/shop") } },
    { name: "event", href: at("/admin/"), given: { name: "a" } },
  ];
  const { waiting } = page({ exclude: "/admin/**" }, { href: at("/admin/"), waiting: calls() });
  assert.deepEqual(waiting, calls().slice(1));
  assert.equal(isCounted(), false);
  const { view } = page({ exclude: "/admin/**" }, { href: at("/shop") });
  assert.equal(isCounted(), false, "not before something was told");
  view(at("/shop"));
  assert.equal(isCounted(), true);
});

test("a page whose view is dropped begins no session, until something else is told", () => {
  const { view } = page({ before: (fact) => fact.kind != "page_view" && fact });
  assert.equal(view(at("/")), undefined);
  assert.equal(isCounted(), false);
  make("event", 1, { name: "play", url: at("/") });
  assert.equal(isCounted(), true);
});

test("names of cookies that a browser or the server would not take are said to be wrong, and others are not", () => {
  const check = (cookieNames, visitorCookie, activityCookie = "last_activity", cookieDomain = undefined) => {
    const said = [];
    setOptions({ listeners: new Set() });
    const right = checkNames({ cookieNames, visitorCookie, activityCookie, cookieDomain, complain: (text) => said.push(text) });
    assert.equal(right, said.length == 0);
    return said[0];
  };
  assert.equal(check({ visitor_id: "shop.vid" }, "shop.vid"), undefined);
  assert.equal(check("visitor_id=a, last_activity=b", "a", "b"), undefined);
  assert.equal(check({ visitor_id: "__Host-vid" }, "__Host-vid"), undefined);
  assert.match(check({ visitor_id: "__Host-vid" }, "__Host-vid", "b", "shop.example"), /__Host-/);
  assert.match(check({ visitor_id: "v".repeat(65) }, "v".repeat(65)), /64/);
  assert.match(check({ visitor_id: "a b" }, "a"), /A-Z/);
  assert.match(check({ visitor_id: "last_activity" }, "last_activity"), /two names/);
});

test("before sees a fact's kind and fields, and may change them", () => {
  const seen = [];
  const before = (fact) => {
    seen.push({ ...fact });
    fact.url = fact.url.replace(/\d+/, "ID");
    if (fact.kind == "event") fact.props = { ...fact.props, plan: "pro" };
    if (fact.kind == "page_view") delete fact.title;
    return fact;
  };
  const { body, view } = page({ before });
  const device = { screen_width: 8 };
  assert.deepEqual(view(at("/users/7"), { title: "Ada", device, referrer: at("/") }), { url: at("/users/ID"), device, referrer: at("/") });
  assert.deepEqual(body("event", { url: at("/users/7"), name: "play", props: { level: 3 } }), {
    url: at("/users/ID"), name: "play", props: { level: 3, plan: "pro" },
  });
  assert.equal(body("order", { url: at("/users/7"), id: "A1", amount: "5", currency: "EUR" }).url, at("/users/ID"));
  assert.deepEqual(seen.map(({ kind, ...fields }) => [kind, Object.keys(fields)]), [
    ["page_view", ["url", "referrer", "title", "device"]],
    ["event", ["url", "name", "props"]],
    ["order", ["url", "id", "amount", "currency", "items"]],
  ]);
});

test("before may answer with another fact", () => {
  const { view } = page({ before: ({ kind }) => ({ kind, url: "/one", title: "One" }) });
  assert.deepEqual(view(at("/two?x=1"), { title: "Two" }), { url: at("/one"), title: "One" });
});

test("an order keeps its number, and a fact what before does not see", () => {
  const before = (fact) => ({ ...fact, id: "B2", site: "other.example" });
  assert.deepEqual(page({ before, site: "shop.example" }).body("order", { url: at("/"), amount: "5" }), {
    url: at("/"), amount: "5", site: "shop.example",
  });
  const anonymous = page({ before }).view(at("/"), { anonymous: true });
  assert.equal(anonymous.anonymous, true);
});

test("before drops a fact by nothing or false", () => {
  for (const nothing of [undefined, null, false]) {
    const { said, view } = page({ before: () => nothing });
    assert.equal(view(at("/")), undefined);
    assert.deepEqual(said, []);
  }
});

test("what before throws is said, and the fact is dropped", () => {
  const cyclic = {};
  cyclic.self = cyclic;
  for (const [before, words] of [
    [() => { throw new Error("of the page"); }, /of the page/],
    [async (fact) => fact, /at once/],
    [() => true, /return the fact/],
    [(fact) => ({ ...fact, url: undefined }), /without an address/],
    [(fact) => ({ ...fact, url: "https://[" }), /Invalid URL/],
    [(fact) => ({ ...fact, device: cyclic }), /circular/],
    ["noSuchFunction", /no function/],
  ]) {
    const { said, view } = page({ before });
    assert.equal(view(at("/")), undefined, before + "");
    assert.match(said.join(), words);
  }
});

test("a script tag names before", () => {
  globalThis.masked = (fact) => ({ ...fact, title: "masked" });
  assert.equal(page({ before: "masked" }).view(at("/"), { title: "Ada" }).title, "masked");
});

test("before sees addresses as query leaves them, and none that is excluded", () => {
  const seen = [];
  const before = (fact) => seen.push(fact.url) && fact;
  const { view } = page({ before, query: ["page"], exclude: ["/admin"] });
  view(at("/?page=1&x=2"));
  view(at("/admin"));
  assert.deepEqual(seen, [at("/?page=1")]);
});
