// JSON, whatever a library of the page has done to it.

/** The JSON text of a value, of which each part passes `replacer`, if there is one. Prototype.js before 1.7 makes a text of every array. */
export const json = (value, replacer) => {
  const { prototype } = Array;
  const { toJSON } = prototype;
  delete prototype.toJSON;
  try {
    return JSON.stringify(value, replacer);
  } finally {
    if (toJSON) prototype.toJSON = toJSON;
  }
};
