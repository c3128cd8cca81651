// What the kits share, with a client that writes down its calls.

import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";

register("./mounted/hooks.js", import.meta.url);

let page = 0;

/** A page of its own: the kit, the client, and what each says. */
async function open(consent) {
  const client = await import(`./mounted/client.js?page=${++page}`);
  const kit = await import(`../kit/client.js?page=${page}`);
  const decided = [];
  const functions = kit.functions((decision) => decided.push(decision));
  kit.hear((decision) => decided.push(decision));
  kit.follow({}, consent);
  kit.follow({}, consent); // StrictMode
  return { ...kit, client, functions, decided };
}

test("a function of the kit decides once", async () => {
  const { functions, client, decided } = await open("pending");
  functions.grant();
  await functions.revoke();
  assert.deepEqual(client.calls, ["init pending", "init pending", "grant", "revoke"]);
  assert.deepEqual(decided, ["granted", "denied"]);
});

test("what an imported function, a consent manager or another tab decides is heard", async () => {
  const { client, decided, follow } = await open("pending");
  client.grant();
  client.grant();
  client.deny();
  assert.deepEqual(decided, ["granted", "denied"]);
  client.calls.length = 0;
  follow({}, "denied"); // the site has remembered it
  assert.deepEqual(client.calls, ["init denied"]);
});

test("a consent that the site changes is followed, and is no decision of the visitor's", async () => {
  const { client, decided, follow } = await open("granted");
  client.calls.length = 0;
  follow({}, "pending");
  follow({}, "granted");
  assert.deepEqual(client.calls, ["init pending", "revoke", "init granted", "grant"]);
  assert.deepEqual(decided, []);
});
