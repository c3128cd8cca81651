import { Link, Navigate, Route, Routes } from "react-router";
import { VisitflowProvider, useVisitflow } from "visitflow/react";
import { Banner } from "./Banner.jsx";
import { useRemembered } from "./useRemembered.js";

// Page views are sent by themselves, at load and whenever the router changes the address.
export function App() {
  const [consent, remember] = useRemembered("consent", "pending");
  return (
    <VisitflowProvider consent={consent} onConsentChange={remember}>
      <nav>
        <Link to="/">Home</Link> <Link to="/about">About</Link>
      </nav>
      <Routes>
        <Route path="/" element={<Home />} />
        <Route path="/about" element={<About />} />
        <Route path="/old" element={<Navigate to="/about" replace />} />
        <Route path="*" element={<NotFound />} />
      </Routes>
      <Banner />
    </VisitflowProvider>
  );
}

function Home() {
  const { event } = useVisitflow();
  return (
    <>
      <title>Home - visitflow: React</title>
      <h1>Home</h1>
      <button id="play" onClick={() => event("play", { level: 3 })}>Send an event</button>
    </>
  );
}

function About() {
  return (
    <>
      <title>About - visitflow: React</title>
      <h1>About</h1>
      <Link to="/about?tab=2">Second tab</Link> <Link to="/old">Old address</Link> <Link to="/nowhere">Broken link</Link>
    </>
  );
}

function NotFound() {
  return (
    <>
      <title>Not found - visitflow: React</title>
      <h1>Not found</h1>
    </>
  );
}
