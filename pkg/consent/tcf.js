export * from "../dist/consent-tcf.js";
