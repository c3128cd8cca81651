"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { useVisitflow } from "visitflow/react";

export function SignIn() {
  const { login } = useVisitflow();
  const router = useRouter();
  const [problem, setProblem] = useState("");

  async function submit(event) {
    event.preventDefault();
    const { name, password } = event.currentTarget.elements;
    try {
      await login(name.value, password.value);
      router.push("/account");
    } catch (error) {
      setProblem(error.message);
    }
  }

  return (
    <form onSubmit={submit}>
      <input name="name" aria-label="Name" autoComplete="username" required />
      <input name="password" aria-label="Password" type="password" autoComplete="current-password" required />
      <button id="sign-in">Sign in</button>
      <p role="alert">{problem}</p>
    </form>
  );
}
