// What a file of the package is made of: bytes of JavaScript by what they were written in, bytes of
// WebAssembly by function.

import { execFileSync } from "node:child_process";
import { SourceMap } from "node:module";
import { basename } from "node:path";

const largestFirst = (bytes) => [...bytes].sort(([, one], [, other]) => other - one);

/** By source file. */
export function partsOfJavascript(text, map) {
  const origins = new SourceMap(map);
  const bytes = new Map();
  text.split("\n").forEach((line, lineNumber) => {
    for (let column = 0; column < line.length; column++) {
      const { originalSource } = origins.findEntry(lineNumber, column);
      const part = originalSource === "glue:glue" ? "wasm-bindgen" : basename(originalSource ?? "the bundler's own");
      bytes.set(part, (bytes.get(part) ?? 0) + Buffer.byteLength(line[column]));
    }
  });
  return largestFirst(bytes);
}

/** By function, of a module that has its names still; what is no function's code is one part. */
export function partsOfWasm(optimizer, features, file, total) {
  const all = execFileSync(process.execPath, [optimizer, ...features, "-g", "--func-metrics", file, "-o", "/dev/null"], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const bytes = new Map();
  for (const [, name, size] of all.matchAll(/^func: (.+)\n\s*\[binary-bytes\] : (\d+)/gm)) {
    const part = partOf(name);
    bytes.set(part, (bytes.get(part) ?? 0) + Number(size));
  }
  const code = [...bytes.values()].reduce((sum, size) => sum + size, 0);
  return largestFirst(bytes.set("tables, imports, exports, data", total - code));
}

// `visitflow_client[d5978d89a95024a]::answered::{closure#0}` is `answered`, and so is the `answered` that the
// page calls; what is not ours goes by its crate.
function partOf(name) {
  const path = name.replaceAll(/\[[\da-f]+\]|::\{[^}]*\}| externref shim$/g, "");
  const crate = /^[<&]*(\w+)(?=::)/.exec(path)?.[1];
  if (crate === "visitflow_client") return path.replace(/^<*visitflow_client::/, "").replace(/ as .*|>(?=::\w+$)/g, "");
  return crate ? `crate ${crate}` : path.replace(/^(__|\d).*/, "wasm-bindgen");
}
