"use client";

export { VisitflowProvider, useConsent, useVisitflow } from "./provider.js";
export { Sessions } from "./sessions.js";
export { useUser } from "./user.js";
export { YourData } from "./your_data.js";
