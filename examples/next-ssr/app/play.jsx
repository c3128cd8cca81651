"use client";

import { useVisitflow } from "visitflow/react";

export function Play() {
  const { event } = useVisitflow();
  return <button id="play" onClick={() => event("play", { level: 3 })}>Send an event</button>;
}
