import Link from "next/link";
import { VisitflowProvider } from "visitflow/react";
import { session } from "../visitflow.js";
import { Who } from "./who";

export const metadata = { title: "visitflow: sessions in Next.js" };

export default async function Layout({ children }) {
  await session(); // so this is rendered for each request, with the endpoint of the machine that it runs on
  return (
    <html lang="en">
      <body>
        <VisitflowProvider options={{ endpoint: process.env.VISITFLOW_SERVER ?? "http://127.0.0.1:8080" }}>
          <nav>
            <Link href="/">Home</Link> <Link href="/account" prefetch={false}>Account</Link> <Who />
          </nav>
          {children}
        </VisitflowProvider>
      </body>
    </html>
  );
}
