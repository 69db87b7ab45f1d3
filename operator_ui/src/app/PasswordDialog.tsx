import { useSignal } from "@preact/signals";
import type { Problem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { account, changePassword } from "../session/session";
import { word } from "../words";
import { Dialog } from "./Dialog";

const MIN_CHARACTERS = 12;

export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const problem = useSignal<Problem | null>(null);
  const state = useSignal<"open" | "busy" | "done">("open");

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    state.value = "busy";
    const refusal = await changePassword(String(form.get("current")), String(form.get("new")));
    problem.value = refusal?.kind === "wrong-password" ? { ...refusal, kind: "wrong-current-password" } : refusal;
    state.value = problem.value ? "open" : "done";
  }

  return (
    <Dialog title={word("change_password")} onClose={onClose}>
      {state.value === "done" ? (
        <p role="status">{word("password_changed")}</p>
      ) : (
        <form class="form" onSubmit={(event) => void submit(event)}>
          <input type="hidden" autocomplete="username" value={account.value?.name ?? ""} />
          <label>
            {word("password_current")}
            <input name="current" type="password" autocomplete="current-password" required />
          </label>
          <label>
            {word("password_new")}
            <input name="new" type="password" autocomplete="new-password" required minLength={MIN_CHARACTERS} />
            <small>{word("password_rule")}</small>
          </label>
          <ProblemNote problem={problem.value} />
          <button class="primary" disabled={state.value === "busy"}>
            {word("change_password")}
          </button>
        </form>
      )}
    </Dialog>
  );
}
