import { type CameraDraft, type Transport, TRANSPORTS } from "./draft";
import type { PartOf } from "./CameraForm";
import { Field } from "./Field";
import { say } from "./form-words";
import { Switch } from "./Switch";

/** How the camera is reached. A stored password is never shown: it is kept, replaced or removed. */
export function ReachFields({ draft, faults, hasPassword }: PartOf & { hasPassword: boolean }) {
  const set = (change: Partial<CameraDraft>): void => {
    draft.value = { ...draft.value, ...change };
  };
  const { main, sub, username, password, removePassword, transport, enabled } = draft.value;
  return (
    <fieldset class="field-group">
      <legend>{say("group_how")}</legend>
      <Field label={say("field_main")} field="main" faults={faults} hint={say("hint_main")} wide>
        <input name="main" value={main} spellcheck={false} onInput={(event) => set({ main: event.currentTarget.value })} />
      </Field>
      <Field label={say("field_sub")} field="sub" faults={faults} hint={say("hint_sub")} wide>
        <input name="sub" value={sub} spellcheck={false} onInput={(event) => set({ sub: event.currentTarget.value })} />
      </Field>
      <Field label={say("field_username")} field="username" faults={faults}>
        <input name="camera-user" value={username} autocomplete="off" onInput={(event) => set({ username: event.currentTarget.value })} />
      </Field>
      <Field label={say("field_password")} field="password" faults={faults} hint={say("password_never")}>
        <input
          name="camera-password"
          type="password"
          value={password}
          disabled={removePassword}
          placeholder={hasPassword ? say("password_kept") : ""}
          autocomplete="new-password"
          onInput={(event) => set({ password: event.currentTarget.value })}
        />
      </Field>
      <Field label={say("field_transport")} field="transport" faults={faults} hint={say("hint_transport")}>
        <select name="transport" value={transport} onChange={(event) => set({ transport: event.currentTarget.value as Transport })}>
          {TRANSPORTS.map((name) => (
            <option key={name} value={name}>
              {say(`transport_${name}`)}
            </option>
          ))}
        </select>
      </Field>
      <div class="switches">
        {hasPassword && (
          <Switch name="remove-password" label={say("password_remove")} on={removePassword} onChange={(on) => set({ removePassword: on })} />
        )}
        <Switch name="enabled" label={say("field_enabled")} hint={say("hint_enabled")} on={enabled} onChange={(on) => set({ enabled: on })} />
      </div>
    </fieldset>
  );
}
