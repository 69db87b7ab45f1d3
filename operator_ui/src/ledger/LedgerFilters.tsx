import { cameraNames } from "./cameras";
import { clearFilters, filters, readNewest, reading, rows, setFilters, type Filters } from "./ledger";
import { ACTIONS, actionWord, say } from "./words";

export function LedgerFilters() {
  const chosen = filters.value;
  const known = (of: (row: NonNullable<typeof rows.value>[number]) => string | null | undefined): string[] =>
    [...new Set((rows.value ?? []).map(of).filter((value): value is string => Boolean(value)))].sort();
  return (
    <form class="ledger-filters" onSubmit={(event) => event.preventDefault()}>
      <Text name="account" label={say("filter_account")} options={known((row) => row.account)} />
      <Choice
        name="action"
        label={say("filter_action")}
        options={ACTIONS.map((action) => [action, actionWord(action)])}
      />
      <Choice name="camera" label={say("filter_camera")} options={[...cameraNames.value]} />
      <Text name="incident" label={say("filter_incident")} options={known((row) => row.incident_id)} />
      <span class="ledger-buttons">
        {Object.values(chosen).some(Boolean) && (
          <button type="button" onClick={clearFilters}>
            {say("filter_clear")}
          </button>
        )}
        <button type="button" disabled={reading.value} onClick={() => void readNewest()} data-testid="ledger-refresh">
          {say("refresh")}
        </button>
      </span>
    </form>
  );
}

function Text({ name, label, options }: { name: keyof Filters; label: string; options: string[] }) {
  return (
    <label>
      {label}
      <input
        name={name}
        list={`known-${name}`}
        value={filters.value[name]}
        placeholder={say("filter_all")}
        autocomplete="off"
        onChange={(event) => setFilters({ [name]: event.currentTarget.value.trim() })}
      />
      <datalist id={`known-${name}`}>
        {options.map((value) => (
          <option key={value} value={value} />
        ))}
      </datalist>
    </label>
  );
}

function Choice({ name, label, options }: { name: keyof Filters; label: string; options: [string, string][] }) {
  return (
    <label>
      {label}
      <select name={name} value={filters.value[name]} onChange={(event) => setFilters({ [name]: event.currentTarget.value })}>
        <option value="">{say("filter_all")}</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
