import { cookies } from "next/headers";
import Link from "next/link";
import { VisitflowProvider } from "visitflow/react";
import { Banner } from "./banner";
import { remember } from "./consent";

// The decision is in a cookie of the site, so the server renders the page with or without the
// banner: nothing flickers. `remember` is a server action, and after it the layout renders anew.
export default async function Layout({ children }) {
  const consent = (await cookies()).get("consent")?.value;
  return (
    <html lang="en">
      <body>
        <VisitflowProvider
          options={{ endpoint: process.env.VISITFLOW_ENDPOINT ?? "http://127.0.0.1:8080" }}
          consent={consent}
          onConsentChange={remember}
        >
          <nav>
            <Link href="/">Home</Link> <Link href="/about">About</Link>
          </nav>
          {children}
          <Banner />
        </VisitflowProvider>
      </body>
    </html>
  );
}
