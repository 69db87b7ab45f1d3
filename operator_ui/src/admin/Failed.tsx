import { say } from "./words";

/** A list that could not be loaded: why, and the way to try again. */
export function Failed({ detail, onRetry }: { detail: string; onRetry: () => void }) {
  return (
    <p class="admin-failed" role="alert">
      <b>{say("failed")}</b> <small>{detail}</small>
      <button type="button" onClick={onRetry}>
        {say("try_again")}
      </button>
    </p>
  );
}
