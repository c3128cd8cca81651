// The options of this page, as pkg/src/client.js has read them: one object for all files.

export let options;

/** Takes the options. */
export const setOptions = (given) => {
  options = given;
};

/** Whether an option is on: as an attribute without a value it is, too. */
export const isOn = (option) => option != undefined && option + "" != "false";
