// The options of this page, as pkg/src/client.js has read them: one object for all files.

export let options;

// What one stage finds out and the next has to know is in this object as well, for the fallback has files of its own:
// `seen` is the address of the last view, `stale` the title of the page before as long as this one may not have set its
// own, `views` the number of views of this visit where nothing is stored, `ahead` that of a visit that began on this
// page ahead of the WebAssembly, as long as storage does not know, `landed` the length of the history when the client
// was loaded.

/** Takes the options. */
export const setOptions = (given) => {
  options = given;
};

/** Whether an option is on: as an attribute without a value it is, too. */
export const isOn = (option) => option != undefined && option + "" != "false";

/** Whether the page has a word about what is told: pkg/src/extras.js sees to it. */
export const isShaped = () => options.before || options.query != undefined || options.exclude;
