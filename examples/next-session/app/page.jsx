import { session } from "../visitflow.js";
import { SignIn } from "./sign-in";

export default async function Home() {
  const { state, user } = await session();
  return (
    <>
      <h1>{user === null ? "Welcome" : "Welcome back"}</h1>
      {state === "unknown" && <p id="unknown">Who you are shows when it is known again.</p>}
      {state !== "unknown" && user === null && <SignIn />}
    </>
  );
}
