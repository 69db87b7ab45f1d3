import { useSignal } from "@preact/signals";
import { LanguageSwitch } from "../words/LanguageSwitch";
import { word } from "../words";
import { signIn } from "./session";

export function SignIn() {
  const error = useSignal("");
  const busy = useSignal(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    error.value = (await signIn(String(form.get("account")), String(form.get("password")))) ?? "";
    busy.value = false;
  }

  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <img src="/haechi.svg" alt="" width="56" height="56" />
        <h1>Haechi</h1>
        <label>
          {word("account")}
          <input name="account" autocomplete="username" required autofocus />
        </label>
        <label>
          {word("password")}
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <button class="primary" disabled={busy.value}>
          {word("sign_in")}
        </button>
        <p class="form-error" role="alert">
          {error}
        </p>
        <p class="hint">{word("sign_in_hint")}</p>
        <LanguageSwitch />
      </form>
    </main>
  );
}
