import { useSignal } from "@preact/signals";
import { wordFor } from "../../words";
import { say as sayPage } from "../words";
import { addAccount } from "./accounts";
import { ROLES, say, type Role } from "./words";

export function AddAccount({ onDone }: { onDone: () => void }) {
  const role = useSignal<Role>("operator");
  const error = useSignal("");
  const busy = useSignal(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    error.value = (await addAccount(String(form.get("name")).trim(), role.value)) ?? "";
    busy.value = false;
    if (!error.value) onDone();
  }

  return (
    <form class="admin-card account-add" onSubmit={(event) => void submit(event)}>
      <label>
        {say("name")}
        <input name="name" required maxLength={64} autocomplete="off" autofocus />
        <small>{say("name_hint")}</small>
      </label>
      <label>
        {say("role")}
        <select name="role" value={role.value} onChange={(event) => (role.value = event.currentTarget.value as Role)}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {wordFor("role", one)}
            </option>
          ))}
        </select>
        <small>{say(`about_${role.value}`)}</small>
      </label>
      <p class="admin-buttons">
        <button type="button" onClick={onDone}>
          {sayPage("cancel")}
        </button>
        <button class="primary" disabled={busy.value}>
          {say("make")}
        </button>
      </p>
      {error.value && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
