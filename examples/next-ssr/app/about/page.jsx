export const metadata = { title: "About - visitflow: Next.js" };

export default function About() {
  return <h1>About</h1>;
}
