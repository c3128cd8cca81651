// Paths as people read them: `/caf%C3%A9` as `/café`.
//
// Two paths that are stored differently are never shown alike, and nothing is decoded that cannot be
// seen, that changes what surrounds it, or that means something else when it is not encoded.

/** ASCII that every browser encodes in a path, and that means nothing there. */
const HARMLESS = /^["<>`{}]$/;

/** Characters of a script or a symbol that stands for itself. */
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;
const UNSEEN = /^[\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Bidi_Control}\u2800\uFFFC\uFFFD\u{1D159}]$/u;

/** What looks like a delimiter of an address, beside what becomes one by compatibility (NFKC). */
const LIKE_DELIMITER = /[/\\?#%:@\u2044\u2215\u2216\u2571\u2572\u27CB\u27CD\u29F5\u29F8\u29F9\u0337\u0338\u066A\u2037]/u;

/** All but half a pair of surrogates. */
const WHOLE = /\P{Cs}/u;

/** As many marks on one letter as UTS 39 allows (§5.4); more would cover the lines around. */
const STACKED = /[\p{Mn}\p{Me}]{5}/u;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The path with what can be read decoded. */
export function readablePath(path) {
  // A path is stored in ASCII; what is not would pass by the rules below.
  const ascii = path.replace(/[^\x21-\x7E]/gu, (character) => encodeURIComponent(WHOLE.test(character) ? character : "\uFFFD"));
  return ascii.split("/").map(readableSegment).join("/");
}

function readableSegment(segment) {
  const decoded = segment.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodedRun);
  const whole = decoded === decoded.normalize("NFC") && !STACKED.test(decoded) && !dangling(decoded);
  return whole ? decoded : segment;
}

/** A mark that has no letter to stand on would change what is before it. */
function dangling(text) {
  return /(^|[^\p{L}\p{M}\p{N}])\p{M}/u.test(text) || /%[0-9A-Fa-f]{2}\p{M}/u.test(text);
}

/** A run of percent-encoded bytes: what is valid UTF-8 and can be shown, the rest as it is. */
function decodedRun(run) {
  const bytes = run.match(/%../g).map((code) => Number.parseInt(code.slice(1), 16));
  let text = "";
  for (let index = 0; index < bytes.length; ) {
    const length = lengthOf(bytes[index]);
    const character = characterOf(bytes.slice(index, index + length));
    const taken = character === null ? 1 : length;
    text += character !== null && isClear(character) ? character : run.slice(index * 3, (index + taken) * 3);
    index += taken;
  }
  return text;
}

/** How many bytes a character has that begins so. */
function lengthOf(byte) {
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}

function isClear(character) {
  if (character <= "\x7F") return HARMLESS.test(character);
  return VISIBLE.test(character) && !UNSEEN.test(character) && !LIKE_DELIMITER.test(character.normalize("NFKC"));
}

/** The character of these bytes, or null. */
function characterOf(bytes) {
  try {
    return UTF8.decode(new Uint8Array(bytes));
  } catch {
    return null;
  }
}
