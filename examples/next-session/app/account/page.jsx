import { Sessions } from "visitflow/react";
import { session } from "../../visitflow.js";

export default async function Account() {
  // The proxy has asked, too. But what protects a page stands in the page: a proxy may be passed by.
  const { user } = await session();
  if (user === null) throw new Error("Nobody is signed in, or nobody can tell");
  return (
    <>
      <h1>{`The account of ${user}`}</h1>
      <h2>Where you are signed in</h2>
      <Sessions />
    </>
  );
}
