// What wasm-bindgen writes between WebAssembly and the shell, with the names that the WebAssembly has after
// wasm-opt has shortened them. What tools write has no stable form: what is not found is an error.

import { found } from "./wasm2js.mjs";

const READ_TEXT = `const getStringFromWasm0 = (ptr, len) =>
  new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, ptr >>> 0, len));
`;

/** Without what is for programs that live long, or make many texts. */
function leaner(glue) {
  let text = glue;
  // Rust makes a text a few times in a page's life: nothing is kept for that.
  text = found(text, /function getStringFromWasm0[^]*?\n\}\n/, READ_TEXT);
  text = found(text, /let cachedUint8ArrayMemory0[^]*?\n\}\n/, "");
  text = found(text, "    cachedUint8ArrayMemory0 = null;\n", "");
  text = found(text, /let cachedTextDecoder[^]*?\n\}\n/, "");
  // Rust drops each closure itself (gloo-timers), so nobody need hear that one was collected.
  text = found(text, /const CLOSURE_DTORS[^]*?;\n/, "");
  text = found(text, /^\s*CLOSURE_DTORS\..*\n/gm, "");
  return text;
}

/**
 * The glue for WebAssembly whose imports and exports were renamed: `names` is what wasm-opt tells of that. All
 * imports are in its one module, `a`; those of the shell's files are taken from there.
 */
export function shortened(glue, { imports, exports }) {
  let text = leaner(glue);
  for (const [long, short] of exports) text = text.replaceAll(RegExp(`\\bwasm\\.${long}\\b`, "g"), () => `wasm.${short}`);
  const files = [...new Set(imports.map(([module]) => module).filter((module) => module !== "./glue_bg.js"))];
  const own = [];
  for (const [module, long, short] of imports) {
    if (module === "./glue_bg.js") text = found(text, RegExp(`\\b${long}: function`), `${short}: function`);
    else own.push(`${short}: file${files.indexOf(module)}.${long}`);
  }
  text = found(text, /^import \* as import\d+ from .*\n/gm, "");
  text = found(
    text,
    /return \{\s*__proto__: null,\s*"\.\/glue_bg\.js": import0,[^]*?\n    \};/,
    `return { a: Object.assign(import0, { ${own.join(", ")} }) };`,
  );
  // The check for a way to call it that was given up, with a text about that.
  text = found(text, /if \(module !== undefined\) \{[^]*?\n    \}\n/, "");
  return files.map((file, at) => `import * as file${at} from "${file}";\n`).join("") + text;
}

/** The glue for the same module as JavaScript, which exports `instantiate`. */
export function withoutWebAssembly(glue) {
  let text = found(glue, /module = new WebAssembly\.Module\(module\)/, "");
  text = found(text, "!(module instanceof WebAssembly.Module)", "0");
  text = found(text, "new WebAssembly.Instance(module, imports)", "{ exports: instantiate(imports) }");
  return text + 'import { instantiate } from "javascript";\n';
}

/** The file of the crate that an import of the glue means. */
export const fileOf = (specifier) => /\/snippets\/[^/]+\/(.*)$/.exec(specifier)?.[1];
