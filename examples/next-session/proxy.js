import { NextResponse } from "next/server";
import { visitflow } from "./visitflow.js";

// Passes the session's cookie on, which a server component cannot. Here it also answers before the page is
// rendered: 401 without a user, and 503 where nobody can tell.
export const proxy = visitflow.next.handler(() => NextResponse.next(), { require: "user" });

export const config = { matcher: "/account/:path*" };
