import { Play } from "./play";

export const metadata = { title: "Home - visitflow: Next.js" };

export default function Home() {
  return (
    <>
      <h1>Home</h1>
      <Play />
    </>
  );
}
