export const metadata = { title: "Not found - visitflow: Next.js" };

export default function NotFound() {
  return <h1>Not found</h1>;
}
