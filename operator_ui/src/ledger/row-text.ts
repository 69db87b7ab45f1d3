/** What stands in a row, as a person says it. Free text stays as it was written. */

import { dateAndTime, wordFor } from "../words";
import { cameraNames } from "./cameras";
import type { LedgerRow } from "./ledger";
import { say, sayOf } from "./words";

export function actorName(row: LedgerRow): string {
  if (row.account_id) return row.account;
  if (row.account === "center") return say("machine");
  if (row.account === "unknown") return say("unknown_person");
  return row.account === "command line" ? say("command_line") : row.account;
}

/** Who or what it was done to. An account that is called "police" is no desk, so the action decides. */
export function subjectText({ action, subject }: LedgerRow): string {
  if (/^(dispatch|grant)\.|^incident\.dispatched$/.test(action)) return wordFor("desk", subject);
  if (action === "incident.closed") return wordFor("verdict", subject);
  const rows = action === "ledger.verified" && /^(\d+) rows fit$/.exec(subject);
  return rows ? `${rows[1]} ${say("rows_fit")}` : subject;
}

/** Why: the center's own reasons in words; what a person wrote as it was written. */
export function reasonText({ action, reason }: LedgerRow): string {
  if (action === "view.refused" && /no incident dispatched to/.test(reason)) return say("why_not_dispatched");
  if (action === "view.refused" && /has not the right|is not open to a/.test(reason)) return say("why_no_right");
  return sayOf("reason", reason);
}

const WORDS_OF: Record<string, string> = {
  role: "role",
  before: "role",
  after: "role",
  desk: "desk",
  desks: "desk",
  verdict: "verdict",
  kind: "kind",
  severity: "severity",
};

export function valueText(key: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => valueText(key, one)).join(", ");
  if (typeof value === "boolean") return say(`value_${value}`);
  if (typeof value !== "string") return String(value);
  if (key === "fields") return sayOf("field", value);
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return dateAndTime(value, true);
  if (key === "head") return `${value.slice(0, 16)}…`;
  if (key === "cameras") return cameraNames.value.get(value) ?? value;
  const prefix = WORDS_OF[key];
  return prefix ? wordFor(prefix, value) : sayOf("value", value);
}
