// Identifiers.

/** A UUIDv4 (RFC 9562). On plain HTTP browsers have no function for it, but name a blob by one. */
export const uuid = () => crypto.randomUUID?.() ?? URL.createObjectURL(new Blob()).slice(-36);

let last = 0; // the time of the last key

/**
 * A UUIDv7 of a time, in ms since the Unix epoch. They grow (RFC 9562 §5.7): of two in one millisecond the
 * second is of the next one (§6.2).
 */
export const keyAt = (at) => {
  last = Math.max(at, last + 1);
  return ("0" + last.toString(16)).replace(/.{8}/, "$&-") + "-7" + uuid().slice(15);
};
