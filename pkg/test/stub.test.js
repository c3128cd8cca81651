// The stub, which queues calls until the script tag has loaded. It is shown and used in several places.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const STUB = /^( *)window\.visitflow = window\.visitflow \|\|[^]*?^\1\S*\};$/m;

/** The stub of a file, without the file's indentation. */
const stubOf = (path) => {
  const found = STUB.exec(read(path));
  assert.ok(found, `${path} has no stub`);
  return found[0].replaceAll(new RegExp(`^${found[1]}`, "gm"), "");
};

const stub = stubOf("README.md");

test("every place has the stub of README.md", () => {
  const places = [
    "pkg/README.md",
    "pkg/src/consent/tag.js",
    "examples/script-tag/stub.js",
    "examples/reverse-proxy/html/consent.js",
    "www/demo/src/tracking.js",
  ];
  for (const place of places) assert.equal(stubOf(place), stub, place);
});

test("a queued call promises its result, and a rejection that nobody handles is not reported", async () => {
  const window = createContext({ Promise });
  window.window = window;
  runInContext(stub, window);
  const answers = [window.visitflow("snapshot"), window.visitflow("login", "ada", "wrong"), window.visitflow("end")];
  const [snapshot, login, end] = window.visitflow.q;
  assert.deepEqual([...login].slice(0, 3), ["login", "ada", "wrong"]);
  snapshot.done(Promise.resolve("pending"));
  login.done(Promise.reject(Error("refused")));
  end.done(Promise.reject(Error("offline")));
  assert.equal(await answers[0], "pending");
  await assert.rejects(answers[1], /refused/);
});

test("the stub leaves a script that has loaded already as it is", () => {
  const loaded = () => {};
  const window = createContext({ visitflow: loaded });
  window.window = window;
  runInContext(stub, window);
  assert.equal(window.visitflow, loaded);
});
