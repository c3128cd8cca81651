// The types say what each function and option does, and the READMEs name only what exists.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const { exports } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

/** The types of each entry, such as "visitflow/react". */
const entries = new Map();
for (const [entry, { types }] of Object.entries(exports)) {
  if (types) entries.set(entry.replace(".", "visitflow"), readFileSync(join(here, types), "utf8"));
}
const everything = [...entries.values()].join("\n");

/** The comment that ends right before `index`; undefined without one. */
const commentBefore = (text, index) => /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*$/.exec(text.slice(0, index))?.[1];

const namesIn = (text, pattern) => [...text.matchAll(pattern)].flatMap(([, names]) => names.match(/\w+/g) ?? []);

const exported = (types) => [
  ...namesIn(types, /^export (?:declare )?(?:function|const|interface|type) (\w+)/gm),
  ...namesIn(types, /^export (?:type )?\{([^}]*)\}/gm),
];

/** The fields and methods of an interface. */
const members = (name) => {
  const body = new RegExp(`^export interface ${name}\\b[^]*?\\{\\n([^]*?)^\\}`, "m").exec(everything)[1];
  return namesIn(body, /^  (\w+)\??[(<:]/gm);
};

/** Interfaces whose fields a page or a backend fills in. */
const GIVEN = /(?:Options|Settings|Props|Order|OrderItem|Confirm)$/;

test("everything that is exported has a description", () => {
  for (const [entry, types] of entries) {
    for (const { 0: line, index } of types.matchAll(/^export (?:default |declare )*(?:function|const|interface|type) \w+.*/gm)) {
      assert.ok(commentBefore(types, index), `${entry}: ${line}`);
    }
  }
});

test("every option has a description, and its default unless it is required", () => {
  for (const [entry, types] of entries) {
    for (const { 1: name, 2: body } of types.matchAll(/^export interface (\w+)[^]*?\{\n([^]*?)^\}/gm)) {
      if (!GIVEN.test(name)) continue;
      for (const { 1: option, 2: optional, index } of body.matchAll(/^  (?:readonly )?(\w+)(\??):/gm)) {
        const comment = commentBefore(body, index);
        assert.ok(comment, `${entry}: ${name}.${option}`);
        if (optional) assert.match(comment, /@default \S/, `${entry}: ${name}.${option}`);
        if (/Ms$/.test(option)) assert.match(comment, /\bms\b|milliseconds/, `${entry}: ${name}.${option}`);
      }
    }
  }
});

const OTHERS = ["cookies", "visitflow"]; // of Next.js; the global itself
const functions = new Set([...exported(everything), ...members("Visitflow"), ...members("Sessions"), ...OTHERS]);

for (const readme of ["README.md", "../README.md"]) {
  const text = readFileSync(join(here, readme), "utf8");

  test(`${readme} imports only what the package exports`, () => {
    for (const [, names, entry] of text.matchAll(/import (?:type )?\{([^}]*)\} from "(visitflow[^"]*)"/g)) {
      for (const name of names.match(/\w+/g)) assert.ok(exported(entries.get(entry)).includes(name), `${name} of ${entry}`);
    }
    for (const [, entry] of text.matchAll(/from "(visitflow[^"]*)"/g)) {
      assert.ok(exports[entry.replace("visitflow", ".")], entry);
    }
  });

  test(`${readme} names only functions that exist`, () => {
    const named = [
      ...namesIn(text, /\bvisitflow\.(\w+)\(/g),
      ...namesIn(text, /, visitflow\.(\w+)\)/g),
      ...namesIn(text, /\bvisitflow\("(\w+)"/g),
      ...namesIn(text, /`(?:await )?(\w+)\(/g),
    ];
    assert.ok(named.length > 2);
    assert.deepEqual(named.filter((name) => !functions.has(name)), []);
  });
}

test("README.md lists each option as an attribute of the script tag", () => {
  const list = /takes options as attributes: (.*)/.exec(readFileSync(join(here, "README.md"), "utf8"))[1];
  const listed = [...list.matchAll(/`data-([a-z-]+)/g)].map(([, name]) => name.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase()));
  const options = members("Options").map((name) => name.replace(/Ms$/, ""));
  assert.deepEqual(listed.sort(), options.sort());
});
