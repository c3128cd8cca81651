/**
 * visitflow for those who see to the WebAssembly themselves, such as browser extensions and pages that
 * inline it. The functions are those of the package; only {@link init} differs.
 */

import type { Options } from "visitflow";

export type * from "visitflow";
export { grant, revoke, deny, onConsentChange, pageView, event, order, login, logout, end, flush, ignoreMe, snapshot, session, sessions, endSession, visitorData } from "visitflow";

/** The options of {@link init}. */
export interface SlimOptions extends Options {
  /** What `dist/visitflow.wasm` holds: its bytes, the answer that brings them, or the module compiled. */
  wasm: BufferSource | Response | WebAssembly.Module | Promise<BufferSource | Response | WebAssembly.Module>;
}

/** Begins measuring. Call it once; later calls change nothing. */
export function init(options: SlimOptions): void;
