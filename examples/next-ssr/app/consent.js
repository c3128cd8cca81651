"use server";

import { cookies } from "next/headers";

const HALF_A_YEAR_S = 182 * 24 * 60 * 60;

/** Remembers the visitor's decision; called by the browser, so what it says is checked. */
export async function remember(consent) {
  if (consent !== "granted" && consent !== "denied") return;
  const options = { maxAge: HALF_A_YEAR_S, sameSite: "lax", httpOnly: true };
  (await cookies()).set("consent", consent, options);
}
