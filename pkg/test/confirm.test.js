// Who waits until a fact is stored: client-wasm/shell/confirm.js, with the files that make and drop facts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { confirm, settle } from "../../client-wasm/shell/confirm.js";
import { setOptions } from "../../client-wasm/shell/options.js";
import { other } from "../../client-wasm/shell/views.js";

Object.defineProperty(globalThis, "navigator", { configurable: true, value: {} });

const call = (given = { name: "play" }) => ({ name: "event", at: 1_790_000_000_000, href: "https://shop.example/", given });

/** What a page hears that waits for this call. */
const heard = (told) => {
  const all = [];
  confirm((error) => all.push(error), told);
  return all;
};

test("a fact that is stored is confirmed, and one that is refused tells why", () => {
  setOptions({ complain() {} });
  for (const [answer, expected] of [
    [{ status: 204 }, false],
    [{ status: 400, body: { detail: "amount: not a number" } }, "amount: not a number"],
    [{ status: 403 }, "dropped"],
    [undefined, "dropped"],
  ]) {
    const told = call();
    const fact = other(told);
    const all = heard(told);
    assert.deepEqual(all, [], "not before the answer");
    fact.answer = answer;
    settle(fact);
    assert.deepEqual(all, [expected]);
    assert.deepEqual(heard(told), [expected], "and who asks later hears the same");
  }
});

test("a fact that is no fact is not confirmed", () => {
  setOptions({ complain() {}, shape: () => {} });
  const dropped = call();
  assert.equal(other(dropped), undefined);
  assert.deepEqual(heard(dropped), ["dropped"]);
  setOptions({ complain() {} });
  const large = call({ name: "play", props: { text: "x".repeat(70_000) } });
  assert.equal(other(large), undefined);
  assert.deepEqual(heard(large), ["dropped"]);
});
