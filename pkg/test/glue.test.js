// The glue between WebAssembly and shell: glue.mjs. It fails where wasm-bindgen writes something else than it did.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileOf, shortened, withoutWebAssembly } from "../glue.mjs";

const GLUE = `import { tell } from './snippets/visitflow-client-0a/shell/rust.js';
import * as import1 from "./snippets/visitflow-client-0a/shell/rust.js"
import * as import2 from "./snippets/visitflow-client-0a/shell/page.js"

export function happened(what) {
    wasm.happened(what);
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_tell_01: function(arg0) {
            tell(arg0, getStringFromWasm0(arg1, arg2));
        },
    };
    return {
        __proto__: null,
        "./glue_bg.js": import0,
        "./snippets/visitflow-client-0a/shell/rust.js": import1,
    };
}
const CLOSURE_DTORS = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(state => wasm.ua(state.a, state.b));

function getStringFromWasm0(ptr, len) {
    return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}

let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    return cachedUint8ArrayMemory0;
}

function makeMutClosure(arg0, arg1, f) {
    CLOSURE_DTORS.register(real, state, state);
    return real;
}

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
let numBytesDecoded = 0;
function decodeText(bytes) {
    return cachedTextDecoder.decode(bytes);
}

function __wbg_finalize_init(instance, module) {
    cachedUint8ArrayMemory0 = null;
}

function initSync(module) {
    if (module !== undefined) {
        console.warn("deprecated");
    }
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
}
`;

const NAMES = {
  imports: [
    ["./glue_bg.js", "__wbg_tell_01", "a"],
    ["./snippets/visitflow-client-0a/shell/page.js", "random", "b"],
    ["./snippets/visitflow-client-0a/shell/rust.js", "tell", "c"],
  ],
  exports: [["happened", "d"], ["memory", "m"]],
};

test("imports and exports get the names that the WebAssembly has", () => {
  const text = shortened(GLUE, NAMES);
  assert.match(text, /wasm\.d\(what\)/);
  assert.match(text, /\ba: function\(arg0\)/);
  assert.match(text, /return \{ a: Object\.assign\(import0, \{ b: file0\.random, c: file1\.tell \}\) \};/);
  assert.match(text, /^import \* as file0 from "\.\/snippets\/visitflow-client-0a\/shell\/page\.js";\nimport \* as file1/);
  assert.doesNotMatch(text, /import1|import2|deprecated/);
});

test("a text is read from the memory as it is at that moment, and no closure is watched", () => {
  const text = shortened(GLUE, NAMES);
  assert.match(text, /new TextDecoder\(\)\.decode\(new Uint8Array\(wasm\.m\.buffer, ptr >>> 0, len\)\)/);
  assert.doesNotMatch(text, /cached|numBytesDecoded|CLOSURE_DTORS/);
});

test("without WebAssembly the same glue makes an instance of JavaScript", () => {
  const text = withoutWebAssembly(shortened(GLUE, NAMES));
  assert.match(text, /\{ exports: instantiate\(imports\) \}/);
  assert.doesNotMatch(text, /WebAssembly/);
});

test("glue that is another than it was is an error", () => {
  for (const gone of ["__wbg_tell_01: function", '"./glue_bg.js": import0,', "if (module !== undefined) {", "let cachedTextDecoder", "const CLOSURE_DTORS", "import * as import1"]) {
    assert.throws(() => shortened(GLUE.replaceAll(gone, "").replaceAll(gone.replace("1", "2"), ""), NAMES), /there is no/, gone);
  }
  for (const gone of ["new WebAssembly.Instance(module, imports)", "!(module instanceof WebAssembly.Module)"]) {
    assert.throws(() => withoutWebAssembly(shortened(GLUE, NAMES).replace(gone, "")), /there is no/, gone);
  }
});

test("an import of the glue means a file of the crate that is there", () => {
  assert.equal(fileOf("./snippets/visitflow-client-0a/shell/page.js"), "shell/page.js");
  assert.ok(existsSync(new URL("../../client-wasm/shell/page.js", import.meta.url)));
  assert.ok(readFileSync(new URL("../dist/core.js", import.meta.url), "utf8").includes("/api/session/start"), "the shell is in the core");
});
