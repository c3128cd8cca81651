// Reports do not prolong the session they are read with. While the admin does something on the
// board, the server is told so once a minute.

const EVERY_MS = 60_000;
const ACTS = ["pointerdown", "wheel", "keydown"];

/**
 * `ping()` tells the server, `fail(problem)` hears why that did not work; `start()` and `stop()`
 * are for when the board comes and goes.
 */
export function createPresence({ ping, fail, page = document, now = Date.now }) {
  let running = false;
  let round = 0;
  let last = -Infinity;

  const act = async () => {
    if (!running || page.hidden || now() - last < EVERY_MS) return;
    last = now();
    const mine = round;
    try {
      await ping();
    } catch (problem) {
      if (mine === round) fail(problem);
    }
  };
  for (const type of ACTS) page.addEventListener(type, act, { passive: true, capture: true });

  return {
    start() {
      running = true;
    },
    stop() {
      running = false;
      round += 1;
    },
  };
}
