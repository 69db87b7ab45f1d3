import { render } from "preact";
import { Console } from "./console/Console";
import { account, restoreSession } from "./session/session";
import { SignIn } from "./session/SignIn";
import { word } from "./words";
import "./style.css";

function App() {
  if (account.value === undefined) return <p class="page-note">{word("loading")}</p>;
  return account.value === null ? <SignIn /> : <Console />;
}

void restoreSession();
render(<App />, document.getElementById("app")!);
