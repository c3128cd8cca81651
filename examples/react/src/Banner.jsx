import { useConsent } from "visitflow/react";

export function Banner() {
  const { consent, grant, deny, revoke } = useConsent();
  if (consent !== "pending") {
    return (
      <p>
        You have {consent === "granted" ? "accepted" : "declined"}.{" "}
        {consent === "granted" ? (
          <button id="change" onClick={revoke}>Take it back</button>
        ) : (
          <button id="change" onClick={grant}>Accept after all</button>
        )}
      </p>
    );
  }
  return (
    <section>
      <p>May we count your visit?</p>
      <button id="accept" onClick={grant}>Accept</button>
      <button id="decline" onClick={deny}>Decline</button>
    </section>
  );
}
