"use client";

import { useRouter } from "next/navigation";
import { useUser, useVisitflow } from "visitflow/react";

/** Who is signed in, as this tab knows by now: another may have signed out. */
export function Who() {
  const { status, user } = useUser();
  const { logout } = useVisitflow();
  const router = useRouter();

  async function leave() {
    await logout();
    router.push("/");
    router.refresh();
  }

  return (
    <>
      <span id="who">{status}</span> {user !== null && <button id="sign-out" onClick={leave}>Sign out</button>}
    </>
  );
}
