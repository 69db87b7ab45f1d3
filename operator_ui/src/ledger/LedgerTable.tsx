import { dateAndTime } from "../words";
import { cameraNames } from "./cameras";
import { setFilters, verification, type LedgerRow } from "./ledger";
import { actorName, reasonText, subjectText, valueText } from "./row-text";
import { say, sayOf } from "./words";

const COLUMNS = ["row", "at", "who", "what", "where", "why"] as const;

export function LedgerTable({ rows }: { rows: LedgerRow[] }) {
  return (
    <table class="ledger-table">
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <th key={column} scope="col" class={`ledger-column-${column}`}>
              {say(`column_${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.sequence} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row }: { row: LedgerRow }) {
  const checked = verification.value;
  const broken = checked !== null && checked !== "running" && checked.broken_at === row.sequence;
  const refused = row.action.endsWith(".refused");
  const subject = subjectText(row);
  return (
    <tr data-row={row.sequence} data-action={row.action} data-refused={refused} data-broken={broken}>
      <td class="ledger-sequence">{row.sequence}</td>
      <td class="ledger-at">
        <time dateTime={row.at}>{dateAndTime(row.at, true)}</time>
      </td>
      <td>
        <b>{actorName(row)}</b>
        <small>{row.address === "this machine" ? say("this_machine") : row.address}</small>
      </td>
      <td class="ledger-what">
        {sayOf("action", row.action)}
        {subject && <small>{subject}</small>}
      </td>
      <td>
        <Where row={row} />
      </td>
      <td class="ledger-why">
        {row.reason && <span title={row.reason}>{reasonText(row)}</span>}
        <Details details={row.details} />
        <code title={`${say("hash")} ${row.hash}`}>{row.hash.slice(0, 10)}</code>
      </td>
    </tr>
  );
}

function Where({ row }: { row: LedgerRow }) {
  const { camera_id: camera, incident_id: incident } = row;
  return (
    <>
      {camera && (
        <button type="button" class="ledger-link" onClick={() => setFilters({ camera })} title={camera}>
          {cameraNames.value.get(camera) ?? camera}
        </button>
      )}
      {incident && (
        <button type="button" class="ledger-link" onClick={() => setFilters({ incident })} title={incident}>
          {say("filter_incident")} …{incident.slice(-6)}
        </button>
      )}
    </>
  );
}

function Details({ details }: { details: LedgerRow["details"] }) {
  const pairs = Object.entries(details).filter(([key, value]) => !HIDDEN.has(key) && value !== null && value !== "");
  if (pairs.length === 0) return null;
  return (
    <dl>
      {pairs.map(([key, value]) => (
        <div key={key}>
          <dt>{sayOf("detail", key)}</dt>
          <dd>{valueText(key, value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Numbers for machines: they stand in the export, and in the row's hash. */
const HIDDEN = new Set(["account_id", "grant"]);
