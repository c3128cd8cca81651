// Hosts as people read them: `xn--mnchen-3ya.de` as `münchen.de`.
//
// A label is decoded only if it is what it seems to be. The rule is "highly restrictive" of UTS 39
// (§5.2): letters and digits of one script in use, or Japanese, Chinese or Korean with Latin. Beyond
// that, a label whose letters all look like Latin ones stays as it is, unless the top-level domain
// says that it is not Latin.

import punycode from "punycode/punycode.js";

/** Latin letters in use today, not those of phonetics (UTS 39, Identifier_Status=Allowed). */
const LATIN =
  "a-zß-öø-ıĵ-ľŀ-ňŋ-žơưǎ-ǜǟ-ǣǧ-ǰǵǹ-țȟȧ-ȳəḁ-ẙạ-ỹ";

/** The other scripts in use (UAX 31, table 5); where only a part of one is, its letters. */
const SCRIPTS = [
  "\\p{scx=Arab}", "ա-ֆ", "\\p{scx=Beng}", "а-џҋ-ԩ", "\\p{scx=Deva}", "\\p{scx=Ethi}", "ა-ჰ",
  "\\u0390ά-ώἀ-῾", "\\p{scx=Gujr}", "\\p{scx=Guru}", "\\p{scx=Hebr}", "\\p{scx=Knda}", "\\p{scx=Khmr}",
  "\\p{scx=Laoo}", "\\p{scx=Mlym}", "\\p{scx=Mymr}", "\\p{scx=Orya}", "\\p{scx=Sinh}", "\\p{scx=Taml}",
  "\\p{scx=Telu}", "\\p{scx=Thaa}", "\\p{scx=Thai}", "\\p{scx=Tibt}",
];
const EAST_ASIAN = ["\\p{scx=Hira}\\p{scx=Kana}", "\\p{scx=Bopo}", "\\p{scx=Hang}"]
  .map((script) => `${LATIN}\\p{scx=Hani}${script}`);

const ONE_SCRIPT = [LATIN, ...SCRIPTS, ...EAST_ASIAN].map((letters) => new RegExp(`^[0-9\\-${letters}]+$`, "u"));

/** Symbols and marks that are no part of a name even where a script has them. */
const NO_LETTER = /[^\p{L}\p{M}\p{Nd}\-·・]|[\u0300-\u036F]|\p{Default_Ignorable_Code_Point}|(?<!l)·|·(?!l)/u;

/** Digits of two systems in one label: some look alike and mean something else. */
const MIXED_DIGITS = /[0-9].*[^0-9\P{Nd}]|[^0-9\P{Nd}].*[0-9]/u;

/** Strokes of Chinese and Japanese that beside a Latin letter look like a slash or a dash. */
const STROKES = /[a-z0-9-][ノソゾンー・一丨丶丿乀]|[ノソゾンー・一丨丶丿乀][a-z0-9-]/u;

/** Letters that look like Latin ones, by script, and where they are expected all the same. */
const LOOK_ALIKES = [
  [/^[аысԁеһіюјӏорԗԛѕԝхуъьҽпгѵѡ0-9-]+$/u, /^(bg|by|kz|mk|mn|rs|ru|su|ua|uz)$/],
  [/^[αικνρυωηοτ0-9-]+$/u, /^(gr|cy)$/],
  [/^[ագզէլհյոսւօ0-9-]+$/u, /^am$/],
  [/^[იოყძხზ0-9-]+$/u, /^ge$/],
  [/^[דוחיןסװ0-9-]+$/u, /^il$/],
  [/^[ทนบพรหเแดลปฟม0-9๐-]+$/u, /^th$/],
];

const SEEN = /^[\x21-\x7E]*$/;

/** The host with the labels decoded that are what they seem to be. */
export function readableHost(host) {
  const stored = SEEN.test(host) ? host : asciiHost(host);
  if (!/(^|\.)xn--/i.test(stored)) return stored;
  const labels = stored.split(".");
  const top = labels.at(-1);
  return labels.map((label) => readableLabel(label, top)).join(".");
}

/** A host that is not stored as it should be, in ASCII. */
function asciiHost(host) {
  try {
    return new URL(`http://${host}/`).hostname;
  } catch {
    return encodeURI(host.toWellFormed?.() ?? host);
  }
}

function readableLabel(label, top) {
  const decoded = decodedLabel(label);
  return decoded !== null && isClear(decoded, top) ? decoded : label;
}

/** The label in Unicode, if it is one that a browser would write back the same. */
function decodedLabel(label) {
  if (!/^xn--/i.test(label)) return null;
  try {
    const decoded = punycode.toUnicode(label.toLowerCase());
    const back = new URL(`http://${decoded}.example/`).hostname;
    return back === `${label.toLowerCase()}.example` ? decoded : null;
  } catch {
    return null;
  }
}

function isClear(label, top) {
  if (label !== label.normalize("NFC") || NO_LETTER.test(label) || MIXED_DIGITS.test(label)) return false;
  if (!ONE_SCRIPT.some((script) => script.test(label)) || STROKES.test(label)) return false;
  return /^xn--/i.test(top) || !LOOK_ALIKES.some(([letters, home]) => letters.test(label) && !home.test(top));
}
