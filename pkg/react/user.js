import { useSyncExternalStore } from "react";
import { account, subscribe, unasked } from "../kit/account.js";
import { useProvided } from "./provider.js";

export function useUser() {
  useProvided("useUser");
  return useSyncExternalStore(subscribe, () => account, () => unasked);
}
