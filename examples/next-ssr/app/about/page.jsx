import Link from "next/link";

export const metadata = { title: "About - visitflow: Next.js" };

export default function About() {
  return (
    <>
      <h1>About</h1>
      <Link href="/about?tab=2">Second tab</Link> <Link href="/old">Old address</Link> <Link href="/nowhere">Broken link</Link>
    </>
  );
}
