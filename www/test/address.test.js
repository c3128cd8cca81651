// Paths and hosts as people read them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readableHost } from "../dashboard/src/address/host.js";
import { readablePath } from "../dashboard/src/address/path.js";

const stored = (host) => new URL(`http://${host}/`).hostname;
const encoded = (text) => text.replace(/[^/]/gu, (character) => encodeURIComponent(character));

test("a path is shown decoded", () => {
  for (const path of ["/café", "/żółć/łódź", "/путь", "/ページ/一覧", "/שלום/עולם", "/हिन्दी", "/ไทย", "/😀", "/日本-abc_~.html"]) {
    assert.equal(readablePath(encoded(path)), path);
  }
  assert.equal(readablePath("/%22%3Cb%3E%60%7B%7D"), '/"<b>`{}');
  assert.equal(readablePath("/plain/path"), "/plain/path");
  assert.equal(readablePath("/"), "/");
  assert.equal(readablePath(""), "");
});

test("what means something else once decoded stays encoded", () => {
  for (const path of ["/a%2Fb", "/a%3Fb", "/a%23b", "/a%25C3%25A9", "/a%5Cb", "/a%2Cb", "/a%5Bb%5D", "/a%7Cb", "/100%", "/%zz", "/%2"]) {
    assert.equal(readablePath(path), path);
  }
});

test("bytes that are no text stay encoded, and take no neighbour along", () => {
  for (const path of ["/%C3", "/%C3%28", "/%FF", "/%C0%AF", "/%E0%80%AF", "/%ED%A0%80", "/%F4%90%80%80", "/%80%80"]) {
    assert.equal(readablePath(path), path);
  }
  assert.equal(readablePath("/%C3%E2%82%AC%FF%C3%A9"), "/%C3€%FFé");
});

test("what cannot be seen stays encoded", () => {
  const unseen = [
    "\0", "\n", "\x7F", "\u0085", " ", "\u00A0", "\u00AD", "\u034F", "\u061C", "\u115F", "\u1680", "\u17B4", "\u180E", "\u2003",
    "\u200B", "\u200C", "\u200D", "\u200E", "\u200F", "\u2028", "\u202A", "\u202E", "\u2060", "\u2066", "\u2069", "\u2800",
    "\u3000", "\u3164", "\uE000", "\uFE0F", "\uFEFF", "\uFFA0", "\uFFF9", "\uFFFD", "\u{1D159}", "\u{E0001}", "\u{E0100}",
    "\u{10FFFF}", "\u0378",
  ];
  for (const character of unseen) {
    const path = `/a${encodeURIComponent(character)}b`;
    assert.equal(readablePath(path), path);
    assert.equal(readablePath(`/a${character}b`), path, "not stored as it should be");
  }
  assert.equal(readablePath("/a\uD800b"), "/a%EF%BF%BDb");
});

test("what looks like a delimiter stays encoded", () => {
  for (const character of ["\u2044", "\u2215", "\u29F8", "\uFF0F", "\uFF05", "\uFF1F", "\uFF03", "\uFE6A", "\u2100", "\u00BD"]) {
    const path = `/a${encodeURIComponent(character)}b`;
    assert.equal(readablePath(path), path);
  }
});

test("a mark stays encoded where it would change what is before it", () => {
  for (const path of ["/%CC%81a", "/a/%CC%81", "/%20%CC%81", "/%FF%CC%81", `/a${"%CC%85".repeat(5)}`]) {
    assert.equal(readablePath(path), path);
  }
});

test("two paths that are stored differently are not shown alike", () => {
  assert.notEqual(readablePath("/cafe%CC%81"), readablePath("/caf%C3%A9"));
  assert.equal(readablePath("/cafe%CC%81"), "/cafe%CC%81");
  assert.equal(readablePath("/%E2%84%AB"), "/%E2%84%AB", "the sign for Ångström");
});

test("a host of one script is shown decoded", () => {
  const hosts = [
    "münchen.de", "bücher.shop.example.com", "faß.de", "łódź.pl", "người.vn", "kākāpō.nz", "ğüzel.tr", "l·l.cat",
    "пример.рф", "кино.com", "україна.com", "ελλάδα.gr", "שלום.co.il", "مثال.إختبار", "गूगल.com", "தமிழ்.com", "ไทย.com",
    "한국.kr", "日本語.中国", "例え.jp", "ブログ.com", "日本abc.jp", "한국abc.kr", "2024年.com", "bücher.例え.com",
  ];
  for (const host of hosts) assert.equal(readableHost(stored(host)), host);
});

test("a label of mixed scripts stays as it is", () => {
  const hosts = ["раураl.com", "gοοgle.com", "аррle.com", "abcдеф.ru", "กabc.com", "한ひ.com", "ελлада.gr", "৪abc.com", "১২3.com"];
  for (const host of hosts) assert.equal(readableHost(stored(host)), stored(host));
  assert.equal(readableHost(stored("münchen.раураl.de")), `münchen.${stored("раураl.de")}`);
});

test("a label that looks like Latin all over stays as it is, but at home", () => {
  for (const host of ["аррӏе.com", "сосо.net", "ορ.com"]) assert.equal(readableHost(stored(host)), stored(host));
  for (const host of ["аррӏе.ru", "сосо.рф"]) assert.equal(readableHost(stored(host)), host);
});

test("symbols, phonetics, scripts out of use and what cannot be seen stay as they are", () => {
  const hosts = ["i❤.ws", "😀.com", "paypaɩ.com", "ɡoogle.com", "ǃabc.com", "ᎠᎡ.com", "𐌰.com", "نامه\u200Cای.com", "a·b.com", "aノb.com", "ー-x.com"];
  for (const host of hosts) assert.equal(readableHost(stored(host)), stored(host));
});

test("what is no name stays as it is", () => {
  for (const host of ["xn--a.com", "xn--.com", "xn--a-ecp.ru-", "xn--zzzzzzzzzz999.com", "shop.example", "[::1]", "127.0.0.1", "", "android-app://com.example"]) {
    assert.equal(readableHost(host), host);
  }
  assert.equal(readableHost("a\u202Eb c"), "a%E2%80%AEb%20c");
});
