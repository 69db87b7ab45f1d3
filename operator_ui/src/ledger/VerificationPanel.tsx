import { CopyButton } from "../app/CopyButton";
import { verification, verificationError, verify, type Verification } from "./ledger";
import { say } from "./words";

export function VerificationPanel() {
  const result = verification.value;
  return (
    <section class="ledger-check" data-testid="verification" data-result={outcome(result)}>
      <p class="ledger-intro">{say("intro")}</p>
      <button type="button" class="primary" disabled={result === "running"} onClick={() => void verify()}>
        {say(result === "running" ? "verifying" : "verify")}
      </button>
      {verificationError.value && (
        <p class="form-error" role="alert">
          {verificationError}
        </p>
      )}
      {result !== null && result !== "running" && <Result result={result} />}
    </section>
  );
}

function outcome(result: Verification | "running" | null): string {
  if (result === null || result === "running") return result ?? "none";
  return result.broken_at == null ? "intact" : "broken";
}

function Result({ result }: { result: Verification }) {
  if (result.broken_at == null) return <Intact result={result} />;
  return (
    <div class="ledger-result" role="alert">
      <h2>{say("broken")}</h2>
      <p>
        {say("broken_at")} <b data-testid="broken-at">{result.broken_at}</b> <small>{result.fault}</small>
      </p>
      <p>{say("broken_note")}</p>
    </div>
  );
}

function Intact({ result }: { result: Verification }) {
  return (
    <div class="ledger-result" role="status">
      <h2>{say("intact")}</h2>
      <p>
        <b data-testid="rows">{result.rows}</b> {say("intact_rows")}
      </p>
      <p class="ledger-head">
        {say("head")} <code data-testid="head">{result.head}</code>
        <CopyButton text={`${result.rows} ${result.head}`} />
      </p>
      <small>{say("head_note")}</small>
    </div>
  );
}
