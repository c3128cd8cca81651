// What a file is made of: parts.mjs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { transformSync } from "esbuild";
import { partsOfJavascript } from "../parts.mjs";

test("bytes are told by file, and none is left out", () => {
  const source = ['export const name = "é";', "export const page = document;"];
  const { code, map } = transformSync(source.join("\n"), { sourcemap: "external", sourcefile: "shell/page.js", minify: true });
  const parts = partsOfJavascript(code.trimEnd(), JSON.parse(map));
  assert.deepEqual(parts, [["page.js", Buffer.byteLength(code.trimEnd())]]);
});

test("of the files of a page, every byte is of a part", () => {
  const dist = new URL("../dist/", import.meta.url);
  const lines = readFileSync(new URL(".parts", dist), "utf8").trimEnd().split("\n").map((line) => line.split("\t"));
  const sum = (file) => lines.reduce((bytes, [name, more]) => bytes + (name === file ? Number(more) : 0), 0);
  assert.equal(sum("wasm"), readFileSync(new URL("visitflow.wasm", dist)).length);
  assert.ok(lines.some(([, , part]) => part === "requests.js") && lines.some(([, , part]) => part === "tracker::Tracker::step"));
  const loader = readFileSync(new URL("cdn/visitflow.js", dist), "utf8");
  assert.equal(sum("loader"), Buffer.byteLength(loader.replaceAll("\n", "")));
});
