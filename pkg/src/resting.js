/** What snapshot() tells while no WebAssembly is there to ask. */
export const resting = (consent = "pending", dropped = 0) => ({
  version: VERSION,
  consent,
  visitor_id: null,
  session: "none",
  dropped,
});
