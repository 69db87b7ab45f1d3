/** Which steps a person is offered with an incident; the center's table (incidents/transitions.py) decides. Pure. */

import type { Desk, Incident } from "../api/client";

export const DESKS: readonly Desk[] = ["police", "fire"];

export interface Offered {
  acknowledge: boolean;
  takeOver: boolean;
  assign: boolean;
  /** Desks it can still be dispatched to; empty when it cannot. */
  dispatch: Desk[];
  note: boolean;
  close: boolean;
  /** Somebody else has it: it must be taken over first. */
  isAnothers: boolean;
}

interface Person {
  account_id: string;
  rights: readonly string[];
}

export function offered(incident: Incident, person: Person): Offered {
  const isOpen = incident.state !== "closed";
  const handles = isOpen && person.rights.includes("handle_incidents");
  const leads = person.rights.includes("assign_incidents");
  const isAnothers = incident.owner_id !== null && incident.owner_id !== person.account_id;
  const decides = handles && (!isAnothers || leads);
  const asked = new Set(incident.dispatches.map((dispatch) => dispatch.desk));
  return {
    acknowledge: handles && incident.state === "new",
    takeOver: handles && incident.state !== "new" && isAnothers,
    assign: isOpen && leads,
    dispatch: decides ? DESKS.filter((desk) => !asked.has(desk)) : [],
    note: handles,
    close: decides,
    isAnothers: isOpen && isAnothers,
  };
}

/** The desk that an alarm of this kind is usually for. */
export function usualDesks(kind: Incident["kind"]): Desk[] {
  if (kind === "fire") return ["fire"];
  return kind === "intrusion" || kind === "loitering" ? ["police"] : [];
}
