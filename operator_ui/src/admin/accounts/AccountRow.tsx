import { useSignal } from "@preact/signals";
import { account as me } from "../../session/session";
import { wordFor } from "../../words";
import { Confirm } from "../Confirm";
import { changeAccount, renewPassword, type Account } from "./accounts";
import { ROLES, say, type Role } from "./words";

type Asked = { what: "disable" } | { what: "password" } | { what: "role"; role: Role };

export function AccountRow({ account }: { account: Account }) {
  const asked = useSignal<Asked | null>(null);
  const error = useSignal("");
  const act = async (done: Promise<string | null>): Promise<void> => {
    asked.value = null;
    error.value = (await done) ?? "";
  };
  const isMe = me.value?.name === account.name;
  return (
    <li class="account-row" data-account={account.name} data-role={account.role} data-disabled={account.disabled}>
      <span class="account-name">
        <b>{account.name}</b>
        {isMe && <em>{say("you")}</em>}
        <small>{account.disabled ? say("disabled") : say("in_use")}</small>
      </span>
      <label class="account-role">
        <span class="label-only">{say("role")}</span>
        <select
          key={`${account.role} ${asked.value === null}`}
          value={account.role}
          onChange={(event) => (asked.value = { what: "role", role: event.currentTarget.value as Role })}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {wordFor("role", role)}
            </option>
          ))}
        </select>
      </label>
      <span class="account-buttons">
        <button type="button" data-testid="new-password" onClick={() => (asked.value = { what: "password" })}>
          {say("new_password")}
        </button>
        {account.disabled ? (
          <button type="button" data-testid="enable" onClick={() => void act(changeAccount(account.id, { disabled: false }))}>
            {say("enable")}
          </button>
        ) : (
          <button type="button" data-testid="disable" onClick={() => (asked.value = { what: "disable" })}>
            {say("disable")}
          </button>
        )}
      </span>
      {error.value && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
      {asked.value && <Question account={account} asked={asked.value} act={act} onNo={() => (asked.value = null)} />}
    </li>
  );
}

interface QuestionOf {
  account: Account;
  asked: Asked;
  act: (done: Promise<string | null>) => Promise<void>;
  onNo: () => void;
}

function Question({ account, asked, act, onNo }: QuestionOf) {
  const yes = (): Promise<string | null> => {
    if (asked.what === "password") return renewPassword(account);
    return changeAccount(account.id, asked.what === "role" ? { role: asked.role } : { disabled: true });
  };
  const action = { disable: say("disable"), password: say("new_password"), role: say("change_role") }[asked.what];
  return (
    <Confirm
      title={say(`${asked.what}_title`)}
      action={action}
      danger={asked.what === "disable"}
      onYes={() => void act(yes())}
      onNo={onNo}
    >
      <p>
        <b>{account.name}</b>
        {asked.what === "role" && ` · ${wordFor("role", account.role)} → ${wordFor("role", asked.role)}`}
      </p>
      <p>{say(`${asked.what}_text`)}</p>
    </Confirm>
  );
}
