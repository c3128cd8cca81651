// WebAssembly as JavaScript, for browsers that run none.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const tool = fileURLToPath(new URL("node_modules/binaryen/bin/wasm2js", import.meta.url));

/** What tools write has no stable form: what is not found there is an error, not a broken package. */
export function found(text, pattern, replacement) {
  const next = text.replace(pattern, () => replacement);
  if (next === text) throw new Error(`there is no ${pattern} in what wasm-bindgen or wasm2js wrote; see pkg/`);
  return next;
}

/**
 * The text of a module that exports `instantiate`: it takes the imports of the WebAssembly in the file
 * `wasm`, which has one table, and returns its exports. `script` is a file to work in.
 */
export function javascript(wasm, script, optimise = "-Oz") {
  execFileSync(process.execPath, [tool, optimise, wasm, "-o", script], { stdio: ["ignore", "inherit", "inherit"] });
  let text = readFileSync(script, "utf8");
  text = found(text, /^import .*$/gm, "");
  // An instance is made when it is asked for.
  text = found(text, /\nvar retasmFunc = [^]*$/, "\nexport { asmFunc as instantiate };\n");
  // Memory that has grown leaves its old buffer detached, as WebAssembly does: glue relies on it.
  const detach = "newHEAP8.set(HEAP8); structuredClone(buffer, { transfer: [buffer] });";
  return text.includes("newHEAP8.set(HEAP8);") ? found(text, "newHEAP8.set(HEAP8);", detach) : text;
}
