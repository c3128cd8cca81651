import { headers } from "next/headers";
import { cache } from "react";
import { sessions } from "visitflow/server";

export const visitflow = sessions({
  endpoint: process.env.VISITFLOW_SERVER ?? "http://127.0.0.1:8080",
  key: () => process.env.SESSIONS_KEY, // read when it is needed: a build has none
});

/** The session for server components: asked once while a page is rendered, however many ask. */
export const session = cache(async () => visitflow.next.session(await headers()));
