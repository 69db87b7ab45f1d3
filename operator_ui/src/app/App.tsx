import { useEffect } from "preact/hooks";
import type { Session } from "../api/client";
import { problemWords } from "../api/problem";
import { follow } from "../city/city";
import { account, unreachable } from "../session/session";
import { SignIn } from "../session/SignIn";
import { word } from "../words";
import { LazyPage } from "./LazyPage";
import { homeOf, mayOpen, pageAt } from "./pages";
import { Refusal } from "./Refusal";
import { go, path } from "./route";

export function App() {
  const person = account.value;
  const page = pageAt(path.value);
  useEffect(() => {
    document.title = person && page ? `${word(page.title)} · Haechi` : "Haechi";
  });
  if (person === undefined) {
    return <p class="page-note alone">{unreachable.value ? problemWords({ kind: "no-answer", detail: "", errors: [] }) : word("loading")}</p>;
  }
  return person === null ? <SignIn /> : <Inside key={person.account_id} person={person} />;
}

/** What a person who is signed in sees at this path. */
function Inside({ person }: { person: Session }) {
  const home = homeOf(person);
  const page = pageAt(path.value);
  const isRoot = path.value === "/";
  const isOpen = page !== undefined && mayOpen(page, person);
  useEffect(() => {
    if (isRoot && home) go(home, "replace");
  }, [isRoot, home]);
  const isLive = isOpen && page.isLive;
  useEffect(() => (isLive ? follow() : undefined), [isLive]);
  if (isRoot && home) return null;
  return isOpen ? <LazyPage key={page.path} page={page} /> : <Refusal home={home} isKnown={page !== undefined} />;
}
