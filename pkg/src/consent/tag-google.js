// A script of its own beside the tag: it follows Google Consent Mode.

import { googleConsent } from "./google.js";
import { tag } from "./tag.js";

googleConsent(tag);
