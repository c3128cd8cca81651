import { event, init } from "visitflow";
import { consent, showBanner } from "./consent.js";
import { showPage } from "./pages.js";

showPage();
showBanner();

// Nothing is stored, sent or loaded before consent. Page views, those of pages.js too, are sent by
// themselves.
init({ consent: consent() });

document.getElementById("play").addEventListener("click", () => event("play", { level: 3 }));
