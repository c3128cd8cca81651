// One contestant in a browser that has never been used before.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** As much slower as a phone is: Lighthouse's figure for a mid-tier one. */
const SLOWDOWN = 4;

/** How long the page is left alone after its view has arrived. */
const QUIET_MS = 1500;

const SCROLLS = 4000;

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-blink-features=AutomationControlled",
];
// Trackers do not count a browser that says it is headless.
const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";

// The same events for everybody, back to back: µs of each, listeners and all.
const SCROLL = `(() => {
  const began = performance.now();
  for (let n = 0; n < ${SCROLLS}; n++) window.dispatchEvent(new Event("scroll"));
  return (1000 * (performance.now() - began)) / ${SCROLLS};
})()`;

// What a tracker has put off until then.
const ACT = `window.dispatchEvent(new Event("pointerdown"))`;

/**
 * Milliseconds to the first view and of main-thread work: of the load, and with what comes once the visitor
 * acts; microseconds for a scroll event.
 */
export async function measure(site, contestant) {
  const profile = mkdtempSync(join(tmpdir(), "visitflow-client-bench-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ARGUMENTS,
    userAgent: USER_AGENT,
  });
  try {
    const page = await browser.newPage();
    const devtools = await browser.newCDPSession(page);
    // Of the thread's own time, not of the clock: what other processes take is not the page's.
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
    const busy = async () => {
      const { metrics } = await devtools.send("Performance.getMetrics");
      return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
    };
    const view = site.serve(contestant);
    const before = await busy();
    await page.goto(site.origin + "/", { waitUntil: "load" });
    const viewMs = await view;
    await page.waitForTimeout(QUIET_MS);
    const taskMs = (await busy()) - before;
    await page.evaluate(ACT);
    await page.waitForTimeout(QUIET_MS);
    const wholeMs = (await busy()) - before;
    await page.evaluate(SCROLL); // once to warm up
    const scrollUs = await page.evaluate(SCROLL);
    return { viewMs, taskMs, wholeMs, scrollUs };
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
