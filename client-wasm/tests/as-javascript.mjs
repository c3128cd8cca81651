// Runs the browser tests as JavaScript: what wasm2js makes of them, in Chromium without WebAssembly.
// Cargo calls this as the runner of test binaries: `node as-javascript.mjs FILE [FILTER]`.
//
// wasm-bindgen's own runner serves the tests; this stands between it and the browser, and replaces the
// WebAssembly by JavaScript on the way.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { javascript } from "../../pkg/wasm2js.mjs";

const PATIENCE_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), "visitflow-as-javascript-"));
const started = [];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tries until it works. */
async function eventually(what, run) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${what}: ${error.message}`);
      await pause(50);
    }
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const socket = createSocket().listen(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });

function start(program, args, env = {}) {
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...env } });
  started.push(child);
}

// The glue asks for WebAssembly under these names, and gets JavaScript.
const STAND_IN = `
  import { instantiate } from "/javascript.js";
  class Module {}
  class Instance {
    constructor(module, imports) {
      // wasm2js spells names of functions as JavaScript can.
      const spelled = (name) => (typeof name === "string" ? name.replace(/[^\\w$]/g, "_") : name);
      this.exports = new Proxy(instantiate(imports), { get: (all, name) => all[name] ?? all[spelled(name)] });
    }
  }
  globalThis.WebAssembly = {
    Module,
    Instance,
    instantiate: async (bytes, imports) => ({ module: new Module(), instance: new Instance(undefined, imports) }),
  };
`;

/** Serves what the runner serves, without its WebAssembly. */
async function serve(origin) {
  const wasm = join(folder, "tests.wasm");
  writeFileSync(wasm, Buffer.from(await (await fetch(`${origin}/wasm-bindgen-test_bg.wasm`)).arrayBuffer()));
  const script = javascript(wasm, join(folder, "tests.js"), "-O1");
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, origin).pathname;
    const send = (type, body) => response.writeHead(200, { "Content-Type": type }).end(body);
    if (path === "/javascript.js") return send("text/javascript", script);
    if (path === "/stand-in.js") return send("text/javascript", STAND_IN);
    if (path.endsWith(".wasm")) return send("application/octet-stream", "");
    const answer = await fetch(origin + request.url);
    const body = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get("content-type") ?? "application/octet-stream";
    if (path !== "/") return response.writeHead(answer.status, { "Content-Type": type }).end(body);
    const before = `<script type="module" src="/stand-in.js"></script>`;
    send(type, body.toString().replace(/<script[^>]*(src=|type="?module)/, (found) => before + found));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  started.push({ kill: () => server.closeAllConnections() || server.close() });
  return `http://127.0.0.1:${server.address().port}/`;
}

/** Opens a page in Chromium and returns a function that asks for the value of an expression. */
async function open(page) {
  const port = await freePort();
  start(process.env.CHROMEDRIVER ?? "chromedriver", [`--port=${port}`]);
  const post = async (path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(value.message);
    return value;
  };
  const capabilities = JSON.parse(readFileSync(new URL("../webdriver.json", import.meta.url), "utf8"));
  const { sessionId } = await eventually("chromedriver", () => post("/session", { capabilities: { alwaysMatch: capabilities } }));
  const session = `/session/${sessionId}`;
  started.push({ kill: () => fetch(`http://127.0.0.1:${port}${session}`, { method: "DELETE" }) });
  await post(`${session}/url`, { url: page });
  return (expression) => post(`${session}/execute/sync`, { script: `return ${expression}`, args: [] });
}

async function run() {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  start("wasm-bindgen-test-runner", process.argv.slice(2), { NO_HEADLESS: "1", WASM_BINDGEN_TEST_ADDRESS: address });
  await eventually("the runner", () => fetch(`http://${address}/`));
  const ask = await open(await serve(`http://${address}`));
  const output = await eventually("the tests", async () => {
    const text = await ask(`document.getElementById("output").textContent`);
    if (!/^test result: /m.test(text)) throw new Error(`no result yet:\n${text}`);
    return text;
  });
  console.log(output);
  return /^test result: ok/m.test(output);
}

try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  // The session before its driver.
  for (const each of started.reverse()) await each.kill();
  rmSync(folder, { recursive: true });
}
