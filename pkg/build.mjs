// Builds the package into dist/ (or `--out DIR`): WebAssembly by cargo, wasm-bindgen and wasm-opt,
// JavaScript by esbuild. Skips everything when no input changed.
//
//     node pkg/build.mjs [--out DIR]

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { commonjs } from "./commonjs.mjs";
import { fileOf, shortened, withoutWebAssembly } from "./glue.mjs";
import { partsOfJavascript, partsOfWasm } from "./parts.mjs";
import { javascript } from "./wasm2js.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const at = process.argv.indexOf("--out");
const out = at < 0 ? join(here, "dist") : resolve(process.argv[at + 1] ?? "");
const target = process.env.CARGO_TARGET_DIR ? resolve(process.env.CARGO_TARGET_DIR) : join(root, "target");
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

// Rust's own switches for small code: a panic stops at once and carries no text.
const RUSTFLAGS = "-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none -Zlocation-detail=none";

// Named, not --all-features: with those wasm-opt writes types that Chromium refuses to compile.
const FEATURES = ["bulk-memory", "reference-types", "sign-ext", "mutable-globals", "nontrapping-float-to-int", "multivalue"];

const run = (program, args, env = {}) =>
  execFileSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });

const ask = (program, args) => {
  try {
    return execFileSync(program, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
};

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

function files(path) {
  const whole = join(root, path);
  if (statSync(whole).isFile()) return [path];
  return readdirSync(whole).sort().flatMap((name) => files(join(path, name)));
}

const inputs = [
  "Cargo.lock",
  "Cargo.toml",
  "client-wasm/Cargo.toml",
  "client-wasm/shell",
  "client-wasm/src",
  "protocol/Cargo.toml",
  "protocol/src",
  "pkg/build.mjs",
  "pkg/glue.mjs",
  "pkg/package.json",
  "pkg/package-lock.json",
  "pkg/parts.mjs",
  "pkg/src",
  "pkg/wasm2js.mjs",
].flatMap(files);

const stamp = sha256(
  [ask("rustc", ["--version"]), ...inputs.map((path) => path + sha256(readFileSync(join(root, path))))].join("\n"),
);
const stampFile = join(out, ".stamp");
if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
  await commonjs(out); // of files that the WebAssembly does not depend on
  console.log("visitflow package: up to date");
  process.exit(0);
}

// What the build needs, said before anything is built.
const bindgen = /name = "wasm-bindgen"\nversion = "(.+)"/.exec(readFileSync(join(root, "Cargo.lock"), "utf8"))[1];
const missing = [
  ask("wasm-bindgen", ["--version"]) !== `wasm-bindgen ${bindgen}` &&
    `cargo install wasm-bindgen-cli --version ${bindgen}`,
  !existsSync(join(ask("rustc", ["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]) || "none")) &&
    "rustup target add wasm32-unknown-unknown",
  !existsSync(join(ask("rustc", ["--print", "sysroot"]), "lib/rustlib/src/rust/library")) &&
    "rustup component add rust-src",
].filter(Boolean);
if (missing.length > 0) {
  console.error(`The package cannot be built yet. Run first:\n  ${missing.join("\n  ")}`);
  process.exit(1);
}
if (!existsSync(join(here, "node_modules/.package-lock.json"))) {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: here, stdio: ["ignore", "inherit", "inherit"] });
}

const work = join(target, "visitflow-package");
rmSync(work, { recursive: true, force: true });

const optimizer = join(here, "node_modules/binaryen/bin/wasm-opt");

/** Compiles the client into `folder`: WebAssembly with short names, and glue that knows them. */
function compile(folder, rustflags, features, targetFolder) {
  run(
    "cargo",
    [
      "build", "--package", "visitflow-client", "--lib", "--profile", "wasm",
      "--target", "wasm32-unknown-unknown",
      "-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size",
    ],
    { RUSTC_BOOTSTRAP: "1", RUSTFLAGS: RUSTFLAGS + rustflags, CARGO_TARGET_DIR: targetFolder },
  );
  mkdirSync(folder, { recursive: true });
  run("wasm-bindgen", [
    "--target", "web", "--no-typescript", "--out-name", "glue", "--out-dir", folder,
    join(targetFolder, "wasm32-unknown-unknown/wasm/visitflow_client.wasm"),
  ]);
  const small = join(folder, "small.wasm"); // with names, which go with the next step
  const wasm = join(folder, "visitflow.wasm");
  run(process.execPath, [
    optimizer, ...features, "-g", "--gufa-optimizing", "-Oz", "--converge", "--low-memory-unused", "--strip-producers", "--strip-target-features",
    join(folder, "glue_bg.wasm"), "-o", small,
  ]);
  // Names of imports and exports are a tenth of what a page downloads: each becomes a letter or two.
  const names = JSON.parse(
    execFileSync(
      process.execPath,
      [optimizer, ...features, "--minify-imports-and-exports-and-modules", small, "-o", wasm],
      { encoding: "utf8" },
    ),
  );
  return { wasm, glue: shortened(readFileSync(join(folder, "glue.js"), "utf8"), names) };
}

const WASM_FEATURES = FEATURES.map((name) => `--enable-${name}`);
const { wasm: wasmFile, glue } = compile(work, "", WASM_FEATURES, target);
const wasm = readFileSync(wasmFile);

// For browsers that run no WebAssembly: of what Rust compiles to, wasm2js takes the oldest form alone.
const old = compile(join(work, "old"), " -Ctarget-cpu=mvp", [], join(target, "mvp"));
const fallback = {
  glue: withoutWebAssembly(old.glue),
  javascript: javascript(old.wasm, join(work, "old/visitflow.js")),
};

const esbuild = await import("esbuild");
const { minify } = await import("uglify-js");

// Names of properties that the package alone uses; not those of the page, the browser or the server. All bundles
// have the same letters for them, and of many tries these compress best.
const PRIVATE = {
  activityCookie: "z", ahead: "a", anew: "j", answer: "l", complain: "d", early: "k", excluded: "b", fact: "n",
  forget: "m", given: "H", hurry: "x", known: "f", landed: "c", listeners: "o", passed: "p", revoked: "i", seen: "s", settle: "F", shape: "w",
  stale: "u", stored: "B", trace: "r", urgent: "t", views: "v", visitorCookie: "e",
};

/** Bundles one file of src/, with its source map. */
async function bundleWithMap(entry, { format = "esm", define = {}, external = [], glueText = glue } = {}) {
  const result = await esbuild.build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    mangleProps: RegExp(`^(${Object.keys(PRIVATE).join("|")})$`),
    mangleCache: PRIVATE,
    write: false,
    sourcemap: "external",
    outdir: work,
    format,
    target: "es2021",
    legalComments: "none",
    define: { VERSION: JSON.stringify(version), CAPTURE: '"./capture.js"', EXTRAS: '"./extras.js"', ...define },
    external: ["./capture.js", "./extras.js", ...external],
    plugins: [{
      name: "glue",
      setup(build) {
        build.onResolve({ filter: /^glue$/ }, () => ({ path: "glue", namespace: "glue" }));
        build.onResolve({ filter: /^javascript$/ }, () => ({ path: "javascript", namespace: "glue" }));
        build.onResolve({ filter: /./, namespace: "glue" }, ({ path }) => ({ path: join(root, "client-wasm", fileOf(path)) }));
        build.onLoad({ filter: /^glue$/, namespace: "glue" }, () => ({ contents: glueText, resolveDir: here }));
        build.onLoad({ filter: /^javascript$/, namespace: "glue" }, () => ({ contents: fallback.javascript }));
      },
    }],
  });
  const file = (extension) => result.outputFiles.find(({ path }) => path.endsWith(extension)).text;
  const module = format === "esm";
  const { code, map, error } = minify(file(".js"), {
    // Of all its settings those by which the loader is smallest at brotli 11.
    compress: { passes: 5, unsafe: true, arrows: false, collapse_vars: false, comparisons: false },
    module,
    toplevel: module, // a script's names are the page's: there the bundle stays within its function
    sourceMap: { content: file(".map"), includeSources: true },
  });
  if (error) throw error;
  return { contents: code, map: JSON.parse(map) };
}

const bundle = async (...all) => (await bundleWithMap(...all)).contents;

// Everything is made aside and moved into place at the end: nobody sees half a package.
const fresh = join(work, "dist");
mkdirSync(join(fresh, "cdn"), { recursive: true });
const put = (name, data) => writeFileSync(join(fresh, name), data);

// The companions of the script tag share a name, which is the hash of all that they hold.
const HASH = "__hash__";

const loader = await bundleWithMap("script.js", { format: "iife", define: { HASH: JSON.stringify(HASH) } });

put("visitflow.wasm", wasm);
put("core.js", await bundle("core.js"));
put("fallback.js", await bundle("fallback.js", { glueText: fallback.glue }));
put("capture.js", await bundle("capture.js"));
put("extras.js", await bundle("extras.js"));
put("debug.js", await bundle("debug.js"));
put("session.js", await bundle("session.js"));
put("index.js", await bundle("index.js", { external: ["./core.js", "./fallback.js", "./debug.js", "./session.js"] }));
put("slim.js", await bundle("slim.js", { external: ["./core.js", "./debug.js", "./session.js"] }));
put("node.js", await bundle("node.js"));

const beside = {
  define: { WASM: JSON.stringify(`./visitflow-${HASH}.wasm`), FALLBACK: JSON.stringify(`./visitflow-fallback-${HASH}.js`), CAPTURE: JSON.stringify(`./visitflow-capture-${HASH}.js`), EXTRAS: JSON.stringify(`./visitflow-extras-${HASH}.js`) },
  external: ["./visitflow-*"],
};
const glueFile = await bundleWithMap("companion.js", beside);
const companions = {
  [`visitflow-${HASH}.wasm`]: wasm,
  [`visitflow-${HASH}.js`]: glueFile.contents,
  [`visitflow-fallback-${HASH}.js`]: await bundle("fallback.js", { glueText: fallback.glue, ...beside }),
  [`visitflow-capture-${HASH}.js`]: readFileSync(join(fresh, "capture.js")),
  [`visitflow-extras-${HASH}.js`]: readFileSync(join(fresh, "extras.js")),
  [`visitflow-debug-${HASH}.js`]: readFileSync(join(fresh, "debug.js")),
  [`visitflow-session-${HASH}.js`]: readFileSync(join(fresh, "session.js")),
};
const hash = sha256(Object.values(companions).map(sha256).join("\n")).slice(0, HASH.length);
const hashed = (data) => Buffer.from(data.toString().replaceAll(HASH, hash));
for (const [name, data] of Object.entries(companions)) {
  put(join("cdn", name.replace(HASH, hash)), name.endsWith(".js") ? hashed(Buffer.from(data)) : data);
}
put(join("cdn", "visitflow.js"), hashed(loader.contents));
for (const name of ["google", "tcf"]) {
  put(`consent-${name}.js`, await bundle(`consent/${name}.js`));
  put(join("cdn", `visitflow-consent-${name}.js`), await bundle(`consent/tag-${name}.js`, { format: "iife" }));
}

await commonjs(fresh);

// Of what the three files of a page are made, for `cargo xtask size`: file, bytes and part.
const parts = {
  loader: partsOfJavascript(loader.contents, loader.map),
  glue: partsOfJavascript(glueFile.contents, glueFile.map),
  wasm: partsOfWasm(optimizer, WASM_FEATURES, join(work, "small.wasm"), wasm.length),
};
put(".parts", Object.entries(parts).flatMap(([file, all]) => all.map(([part, bytes]) => [file, bytes, part].join("\t"))).join("\n") + "\n");
put(".stamp", stamp);

rmSync(out, { recursive: true, force: true });
mkdirSync(dirname(out), { recursive: true });
try {
  renameSync(fresh, out);
} catch {
  cpSync(fresh, out, { recursive: true }); // another file system
}

const brotli = (data) => brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const sizes = { loader: brotli(hashed(loader.contents)), glue: brotli(companions[`visitflow-${HASH}.js`]), wasm: brotli(wasm) };
const total = sizes.loader + sizes.glue + sizes.wasm;
console.log(`visitflow package, bytes at brotli 11: loader ${sizes.loader}, glue ${sizes.glue}, wasm ${sizes.wasm}, together ${total}`);
