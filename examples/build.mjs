// Builds the examples as a user would: from the packed package, in copies under the target
// directory. Skips an example when nothing of it has changed.
//
//     node examples/build.mjs [NAME]...      all, or these
//     node examples/build.mjs --lock         writes the lock files anew

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const target = process.env.CARGO_TARGET_DIR ? resolve(root, process.env.CARGO_TARGET_DIR) : join(root, "target");
// The examples name the package as ../../pkg/visitflow-<version>.tgz: here as in their sources.
const packed = join(target, "pkg");
const copies = join(target, "examples");

/** What an example makes of itself; never copied from the sources. */
const MADE = new Set(["node_modules", "dist", ".next", ".nuxt", ".output", ".svelte-kit", ".astro", "build"]);
/** As many at once as small machines have cores. */
const WORKERS = 2;

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1" };

async function run(cwd, program, ...args) {
  try {
    await promisify(execFile)(program, args, { cwd, env, maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`${cwd}: ${program} ${args.join(" ")}\n${error.stdout}\n${error.stderr}`);
  }
}

function files(folder, inner = "") {
  return readdirSync(join(folder, inner)).sort().flatMap((name) => {
    const path = join(inner, name);
    if (MADE.has(name)) return [];
    return statSync(join(folder, path)).isDirectory() ? files(folder, path) : [path];
  });
}

/** Packs the package; returns the hash of what is in it. */
async function pack() {
  mkdirSync(packed, { recursive: true });
  await run(join(root, "pkg"), "npm", "pack", "--pack-destination", packed);
  const { version } = JSON.parse(readFileSync(join(root, "pkg/package.json"), "utf8"));
  return sha256(readFileSync(join(packed, `visitflow-${version}.tgz`)));
}

/** The hash of the tarball differs from build to build, so no lock file holds it. */
function lockWithoutTarball(folder) {
  const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  delete lock.packages["node_modules/visitflow"].integrity;
  return JSON.stringify(lock, null, 2) + "\n";
}

/** A fresh copy of the sources. */
function copy(name) {
  const [from, to] = [join(here, name), join(copies, name)];
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, filter: (path) => !MADE.has(path.slice(from.length + 1)) });
  return to;
}

async function build(name, tarball) {
  const sources = files(join(here, name)).map((path) => path + sha256(readFileSync(join(here, name, path))));
  const stamp = sha256([tarball, process.version, ...sources].join("\n"));
  const stampFile = join(copies, name, ".stamp");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return "up to date";
  const start = Date.now();
  const folder = copy(name);
  if (existsSync(join(folder, "package.json"))) {
    writeFileSync(join(folder, "package-lock.json"), lockWithoutTarball(folder));
    await run(folder, "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund");
    await run(folder, "npm", "run", "build");
  }
  writeFileSync(stampFile, stamp);
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

async function lock(name) {
  if (!existsSync(join(here, name, "package.json"))) return "has none";
  const folder = copy(name);
  await run(folder, "npm", "install", "--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund");
  writeFileSync(join(here, name, "package-lock.json"), lockWithoutTarball(folder));
  return "locked";
}

const all = readdirSync(here).filter((name) => statSync(join(here, name)).isDirectory());
const given = process.argv.slice(2);
const names = given.filter((name) => name !== "--lock");
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`there is no example ${unknown.join(", ")}; there are ${all.join(", ")}`);

const tarball = await pack();
const act = given.includes("--lock") ? lock : (name) => build(name, tarball);
// The longest first.
const waiting = (names.length > 0 ? names : all).sort((a, b) => /^n[eu]xt/.test(b) - /^n[eu]xt/.test(a));
const work = async () => {
  for (let name; (name = waiting.shift()); ) console.log(`example ${name}: ${await act(name)}`);
};
await Promise.all(Array.from({ length: WORKERS }, work));
