// The package in Jest, which takes no modules (ESM) from node_modules and has a page of jsdom.

import assert from "node:assert/strict";
import { spawnSync, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const TOOLS = ["jest@30.5.2", "jest-environment-jsdom@30.5.2", "react@19.3.1", "react-dom@19.3.1"];

const CASE = (environment) => `
/** @jest-environment ${environment} */
const { act, createElement } = require("react");
const visitflow = require("visitflow");
const { googleConsent } = require("visitflow/consent/google");
const { VisitflowProvider, useConsent } = require("visitflow/react");
const { sessions } = require("visitflow/server");

test("imports", async () => {
  if (globalThis.document) {
    globalThis.IS_REACT_ACT_ENVIRONMENT = true;
    const page = document.body.appendChild(document.createElement("main"));
    const Button = () => createElement("button", { onClick: useConsent().grant }, useConsent().consent);
    const { createRoot } = require("react-dom/client");
    await act(() => createRoot(page).render(createElement(VisitflowProvider, {}, createElement(Button))));
    expect(page.textContent).toBe("pending");
    await act(() => page.querySelector("button").click());
    expect(page.textContent).toBe("granted");
  }
  visitflow.init({ consent: "granted" });
  visitflow.event("play", { level: 3 });
  expect((await visitflow.snapshot()).queued ?? 0).toBe(0);
  googleConsent(visitflow)();
  expect(typeof sessions({ endpoint: "http://127.0.0.1:8080", key: "vf_key" }).express).toBe("function");
});`;

test("Jest finds every entry, with jsdom and without, and nothing is measured", () => {
  const project = mkdtempSync(join(tmpdir(), "visitflow-jest-"));
  try {
    execFileSync("npm", ["pack", "--pack-destination", project], { cwd: here, stdio: "pipe" });
    const [tarball] = readdirSync(project);
    writeFileSync(join(project, "package.json"), "{}");
    for (const environment of ["jsdom", "node"]) writeFileSync(join(project, `${environment}.test.js`), CASE(environment));
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `./${tarball}`, ...TOOLS], { cwd: project, stdio: "pipe" });
    const jest = spawnSync(process.execPath, ["node_modules/jest/bin/jest.js"], { cwd: project, encoding: "utf8" });
    assert.equal(jest.status, 0, jest.stderr);
  } finally {
    rmSync(project, { recursive: true });
  }
});
