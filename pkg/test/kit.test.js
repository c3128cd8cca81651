// What the kits share, with a client that writes down its calls.

import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";

const CLIENT = `
  export const calls = [];
  const listeners = new Set();
  const decide = (call, choice) => (calls.push(call), listeners.forEach((listener) => listener(choice)));
  export const init = ({ consent }) => void calls.push("init " + consent);
  export const grant = () => decide("grant", "granted");
  export const deny = () => decide("deny", "denied");
  export const revoke = async () => decide("revoke", "denied");
  export const session = async () => null;
  export const onConsentChange = (listener) => (listeners.add(listener), () => listeners.delete(listener));
`;
const url = `data:text/javascript,${encodeURIComponent(CLIENT)}`;
const HOOK = `export const resolve = (name, context, next) =>
  name === "visitflow" ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(HOOK)}`);

let page = 0;

/** A page of its own: the kit, the client, and what each says. */
async function open(consent) {
  const client = await import(url);
  client.calls.length = 0;
  const kit = await import(`../kit/client.js?${page++}`);
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
