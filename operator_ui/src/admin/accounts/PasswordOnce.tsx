import { CopyButton } from "../../app/CopyButton";
import { madePassword } from "./accounts";
import { say } from "./words";

/** A password that the center just made: shown until it is put away, never again. */
export function PasswordOnce() {
  const made = madePassword.value;
  if (!made) return null;
  return (
    <section class="admin-card password-once" role="status" data-testid="password-once">
      <h2>{say("once_title")}</h2>
      <p>
        <b>{made.name}</b> <code data-testid="made-password">{made.password}</code>
        <CopyButton text={made.password} />
      </p>
      <small>{say("once_text")}</small>
      <p class="admin-buttons">
        <button type="button" class="primary" data-testid="put-away" onClick={() => (madePassword.value = null)}>
          {say("done")}
        </button>
      </p>
    </section>
  );
}
