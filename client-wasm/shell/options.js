// The options of this page, as pkg/src/client.js has read them: one object for all files.

export let options;

/** Takes the options. */
export const setOptions = (given) => {
  options = given;
};

/** Whether an option is on: as an attribute without a value it is, too. */
export const isOn = (option) => option != undefined && option + "" != "false";

/** Whether the page has a word about what is told: pkg/src/extras.js sees to it. */
export const isShaped = () => options.before || options.query != undefined || options.exclude;
