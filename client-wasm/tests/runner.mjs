// Runs the client's tests in a browser. Cargo calls this as the runner of test binaries:
// `node runner.mjs chromium|javascript|firefox|webkit FILE [FILTER]`. `javascript` is Chromium without WebAssembly,
// with what wasm2js makes of the tests.
//
// wasm-bindgen's own runner serves the tests, and this stands between it and the browser. Left alone, that server
// sometimes keeps a connection waiting for ever if a browser opens many at once, as it does for the files of the
// shell; here each request has a connection of its own, which closes with the answer.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { javascript } from "../../pkg/wasm2js.mjs";

const PATIENCE_MS = 180_000;
const DRIVERS = { chromium: "chromedriver", javascript: "chromedriver", firefox: "geckodriver", webkit: "WebKitWebDriver" };

const [browser, ...tests] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "visitflow-client-tests-"));
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

/** Asks wasm-bindgen's runner, over a connection of its own. */
const ask = (url) =>
  new Promise((resolve, reject) => {
    get(url, { agent: false }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      const type = answer.headers["content-type"] ?? "application/octet-stream";
      resolve({ status: answer.statusCode, type, body: Buffer.concat(parts) });
    }).on("error", reject);
  });

/** What stands in the place of the WebAssembly: what is served under each path, and the page that loads it first. */
async function withoutWebAssembly(origin) {
  const wasm = join(folder, "tests.wasm");
  writeFileSync(wasm, (await ask(`${origin}/wasm-bindgen-test_bg.wasm`)).body);
  const page = (await ask(`${origin}/`)).body.toString();
  const before = `<script type="module" src="/stand-in.js"></script>`;
  return {
    "/": ["text/html", page.replace(/<script[^>]*(src=|type="?module)/, (found) => before + found)],
    "/javascript.js": ["text/javascript", javascript(wasm, join(folder, "tests.js"), "-O1")],
    "/stand-in.js": ["text/javascript", STAND_IN],
    "/wasm-bindgen-test_bg.wasm": ["application/octet-stream", ""],
  };
}

/** Serves what wasm-bindgen's runner serves. */
async function serve(origin) {
  const replaced = browser === "javascript" ? await withoutWebAssembly(origin) : {};
  const server = createServer(async (request, response) => {
    const own = replaced[new URL(request.url, origin).pathname];
    if (own) return response.writeHead(200, { "Content-Type": own[0] }).end(own[1]);
    const { status, type, body } = await ask(origin + request.url);
    response.writeHead(status, { "Content-Type": type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  started.push({ kill: () => server.closeAllConnections() || server.close() });
  return `http://127.0.0.1:${server.address().port}/`;
}

/** What the browser is started with. */
function capabilities() {
  if (browser === "firefox") return { "moz:firefoxOptions": { args: ["-headless"] } };
  if (browser === "webkit") {
    const options = { binary: process.env.VISITFLOW_MINIBROWSER, args: ["--automation"] };
    return { browserName: "MiniBrowser", "webkitgtk:browserOptions": options };
  }
  return JSON.parse(readFileSync(new URL("../webdriver.json", import.meta.url), "utf8"));
}

/** Opens a page in the browser and returns a function that asks for the value of an expression. */
async function open(page) {
  const port = await freePort();
  start(DRIVERS[browser], [`--port=${port}`]);
  const post = async (path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(value.message);
    return value;
  };
  const { sessionId } = await eventually(DRIVERS[browser], () =>
    post("/session", { capabilities: { alwaysMatch: capabilities() } }),
  );
  const session = `/session/${sessionId}`;
  started.push({ kill: () => fetch(`http://127.0.0.1:${port}${session}`, { method: "DELETE" }) });
  await post(`${session}/url`, { url: page });
  return (expression) => post(`${session}/execute/sync`, { script: `return ${expression}`, args: [] });
}

/** Runs the tests, shows their output as it comes, and returns whether all passed. */
async function run() {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  start("wasm-bindgen-test-runner", tests, { NO_HEADLESS: "1", WASM_BINDGEN_TEST_ADDRESS: address });
  await eventually("the runner", () => ask(`http://${address}/`));
  const valueOf = await open(await serve(`http://${address}`));
  let shown = "";
  const output = await eventually("the tests", async () => {
    const text = await valueOf(`document.getElementById("output").textContent`);
    process.stdout.write(text.startsWith(shown) ? text.slice(shown.length) : text);
    shown = text;
    if (!/^test result: .*$/m.test(text)) throw new Error("they did not end");
    return text;
  });
  console.log();
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
