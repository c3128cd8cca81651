// A report that is asked for again and again.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createAsking, mayPass, retryDelay } from "../dashboard/src/asking.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A page with a report; `reply(n)` gives the answer to the nth question. */
function look(reply, { everyMs = null, left } = {}) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = new EventTarget();
  const seen = { asked: 0, answers: [], failures: [], signals: [] };
  page.hidden = false;
  const asking = createAsking({
    async ask(signal) {
      seen.signals.push(signal);
      return reply(++seen.asked, signal);
    },
    answered: (answer) => (seen.answers.push(answer), everyMs),
    failed: (problem, retryMs) => seen.failures.push([problem.status, retryMs]),
    left,
    page,
    random: () => 0.5,
  });
  const pass = async (ms) => (mock.timers.tick(ms), settled());
  const show = async (hidden) => ((page.hidden = hidden), page.dispatchEvent(new Event("visibilitychange")), settled());
  return { asking, seen, pass, show };
}

const problem = (status, retryAfterMs = 0) => Object.assign(new Error("no"), { status, retryAfterMs });

const over = (name, run) => test(name, async () => {
  try {
    await run();
  } finally {
    mock.timers.reset();
  }
});

over("what failed is asked again by itself, each time later, until it is answered", async () => {
  const { asking, seen, pass } = look((n) => (n < 4 ? Promise.reject(problem(503)) : "figures"));
  await asking.start();
  assert.deepEqual(seen.failures, [[503, 2000]]);
  await pass(1999);
  assert.equal(seen.asked, 1);
  await pass(1);
  assert.equal(seen.asked, 2);
  await pass(4000);
  await pass(8000);
  assert.deepEqual(seen.failures.map(([, retryMs]) => retryMs), [2000, 4000, 8000]);
  assert.deepEqual(seen.answers, ["figures"]);
  await pass(600_000);
  assert.equal(seen.asked, 4, "a report that does not change is not asked for again");
});

over("what has changed meanwhile is asked for again, and a failure then passes too", async () => {
  const { asking, seen, pass } = look((n) => (n === 2 ? Promise.reject(problem(0)) : n), { everyMs: 10_000 });
  await asking.start();
  await pass(10_000);
  assert.deepEqual(seen.failures, [[0, 2000]]);
  await pass(2000);
  await pass(10_000);
  assert.deepEqual(seen.answers, [1, 3, 4]);
});

over("a request that can only be refused again is not sent again", async () => {
  const { asking, seen, pass } = look(() => Promise.reject(problem(400)));
  await asking.start();
  await pass(600_000);
  assert.deepEqual(seen.failures, [[400, null]]);
  assert.equal(seen.asked, 1);
});

over("nothing is asked behind a hidden page, and what came due is asked when it is shown", async () => {
  const { asking, seen, pass, show } = look((n) => n, { everyMs: 10_000 });
  await asking.start();
  await show(true);
  await pass(60_000);
  assert.equal(seen.asked, 1);
  await show(false);
  assert.equal(seen.asked, 2);
  await show(true);
  await show(false);
  assert.equal(seen.asked, 2, "nothing was due");
});

over("a new question takes the place of the one under way", async () => {
  const first = {};
  first.answer = new Promise((resolve) => (first.give = resolve));
  const { asking, seen } = look((n) => (n === 1 ? first.answer : "second"));
  asking.start();
  await asking.start();
  assert.equal(seen.signals[0].aborted, true);
  first.give("first");
  await settled();
  assert.deepEqual(seen.answers, ["second"]);
});

over("to refresh asks nothing while a question is under way", async () => {
  const { asking, seen } = look(() => new Promise(() => {}));
  asking.start();
  asking.refresh();
  await settled();
  assert.equal(seen.asked, 1);
});

over("a session that is over ends the asking", async () => {
  const { asking, seen, pass } = look(() => Promise.reject(problem(401)), { left: ({ status }) => (asking.stop(), status === 401) });
  await asking.start();
  await pass(600_000);
  assert.deepEqual([seen.asked, seen.failures], [1, []]);
});

over("what is stopped is not asked again, whatever was to come", async () => {
  const { asking, seen, pass } = look(() => Promise.reject(problem(503)));
  await asking.start();
  asking.stop();
  await pass(600_000);
  assert.equal(seen.asked, 1);
});

test("the delay grows to a minute, is spread, and heeds Retry-After", () => {
  assert.deepEqual([1, 2, 3, 5, 6, 50].map((failures) => retryDelay(failures, 0, () => 0.5)), [2000, 4000, 8000, 32_000, 60_000, 60_000]);
  assert.deepEqual([0, 1].map((random) => retryDelay(1, 0, () => random)), [1500, 2500]);
  assert.equal(retryDelay(1, 30_000), 30_000);
  assert.equal(retryDelay(1, 3_600_000), 60_000);
});

test("no answer, an unreadable one and the server's own failures may pass", () => {
  for (const status of [0, 200, 408, 425, 429, 500, 502, 503, 504]) assert.equal(mayPass({ status }), true, String(status));
  for (const status of [400, 401, 403, 404, 414]) assert.equal(mayPass({ status }), false, String(status));
  assert.equal(mayPass(new TypeError("a defect")), true);
});
