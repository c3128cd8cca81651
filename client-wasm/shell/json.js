// JSON, whatever a library of the page has done to it.

// A text that was cut may end in half a character, which the server refuses.
const whole = (_, value) => value?.toWellFormed?.() ?? value;

/** The JSON text of a value. Prototype.js before 1.7 makes a text of every array. */
export const json = (value) => {
  const { prototype } = Array;
  const { toJSON } = prototype;
  delete prototype.toJSON;
  try {
    return JSON.stringify(value, whole);
  } finally {
    if (toJSON) prototype.toJSON = toJSON;
  }
};
