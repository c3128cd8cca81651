"use client";

import { useConsent } from "visitflow/react";

export function Banner() {
  const { consent, grant, deny, revoke } = useConsent();
  if (consent === "granted") return <button id="change" onClick={revoke}>Do not count me</button>;
  if (consent === "denied") return <button id="change" onClick={grant}>Count me after all</button>;
  return (
    <section>
      <p>May we count your visit?</p>
      <button id="accept" onClick={grant}>Accept</button>
      <button id="decline" onClick={deny}>Decline</button>
    </section>
  );
}
