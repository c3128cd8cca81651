// The session of an admin at work.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPresence } from "../dashboard/src/presence.js";

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

/** An admin in front of a dashboard; `ask` answers the pings. */
function sit(ask = async () => null) {
  const seen = { pings: 0, failed: [] };
  const desk = { now: 1_000_000, hidden: false, seen };
  const page = new EventTarget();
  Object.defineProperty(page, "hidden", { get: () => desk.hidden });
  desk.presence = createPresence({
    ping: () => (seen.pings++, ask()),
    fail: (problem) => seen.failed.push(problem.status),
    page,
    now: () => desk.now,
  });
  desk.act = (type = "pointerdown") => page.dispatchEvent(new Event(type));
  return desk;
}

test("who does something is at work, once a minute", () => {
  const desk = sit();
  desk.presence.start();
  assert.equal(desk.seen.pings, 0, "to look is not to act");
  for (const type of ["pointerdown", "wheel", "keydown"]) desk.act(type);
  assert.equal(desk.seen.pings, 1);
  desk.now += 59_999;
  desk.act();
  assert.equal(desk.seen.pings, 1);
  desk.now += 1;
  desk.act("keydown");
  assert.equal(desk.seen.pings, 2);
});

test("nobody is at work behind a hidden page or before the board is there", () => {
  const desk = sit();
  desk.act();
  desk.presence.start();
  desk.hidden = true;
  desk.act();
  desk.hidden = false;
  desk.presence.stop();
  desk.act();
  assert.equal(desk.seen.pings, 0);
  desk.presence.start();
  desk.act();
  assert.equal(desk.seen.pings, 1);
});

test("a failure is heard of, unless the board is gone by then", async () => {
  const ended = () => Promise.reject(Object.assign(new Error("ended"), { status: 401 }));
  const desk = sit(ended);
  desk.presence.start();
  desk.act();
  await soon();
  assert.deepEqual(desk.seen.failed, [401]);
  desk.now += 60_000;
  desk.act();
  desk.presence.stop();
  desk.presence.start();
  await soon();
  assert.deepEqual(desk.seen.failed, [401]);
});
