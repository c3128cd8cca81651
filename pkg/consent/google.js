export * from "../dist/consent-google.js";
