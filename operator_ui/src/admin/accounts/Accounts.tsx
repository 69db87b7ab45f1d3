import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Failed } from "../Failed";
import { say as sayPage } from "../words";
import { AccountRow } from "./AccountRow";
import { accounts, loadAccounts, loadError } from "./accounts";
import { AddAccount } from "./AddAccount";
import { PasswordOnce } from "./PasswordOnce";
import { say } from "./words";

export function Accounts() {
  const adding = useSignal(false);
  useEffect(() => void loadAccounts(), []);
  const list = accounts.value;
  return (
    <section class="admin-section">
      <header class="admin-head">
        <p>{say("intro")}</p>
        <button type="button" class="primary" data-testid="add-account" onClick={() => (adding.value = true)}>
          {say("add")}
        </button>
      </header>
      {adding.value && <AddAccount onDone={() => (adding.value = false)} />}
      <PasswordOnce />
      {loadError.value && <Failed detail={loadError.value} onRetry={() => void loadAccounts()} />}
      {list === null && !loadError.value && <p class="page-note">{sayPage("loading")}</p>}
      {list?.length === 0 && <p class="page-note">{say("empty")}</p>}
      <ul class="admin-list" data-testid="accounts">
        {list?.map((one) => (
          <AccountRow key={one.id} account={one} />
        ))}
      </ul>
    </section>
  );
}
