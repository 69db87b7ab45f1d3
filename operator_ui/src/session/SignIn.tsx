import { useSignal } from "@preact/signals";
import type { Problem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { LanguageSwitch } from "../words/LanguageSwitch";
import { word } from "../words";
import { signIn } from "./session";

export function SignIn() {
  const problem = useSignal<Problem | null>(null);
  const busy = useSignal(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    problem.value = await signIn(String(form.get("account")), String(form.get("password")));
    busy.value = false;
  }

  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <img src="/haechi.svg" alt="" width="56" height="56" />
        <h1>Haechi</h1>
        <p class="sign-in-city">{word("city_center")}</p>
        <label>
          {word("account")}
          <input name="account" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus />
        </label>
        <label>
          {word("password")}
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <button class="primary" disabled={busy.value}>
          {word("sign_in")}
        </button>
        <ProblemNote problem={problem.value} />
        <p class="hint">{word("sign_in_hint")}</p>
        <LanguageSwitch />
      </form>
    </main>
  );
}
