// A script of its own beside the tag: it follows the Transparency and Consent Framework.

import { tag } from "./tag.js";
import { tcfConsent } from "./tcf.js";

tcfConsent(tag);
