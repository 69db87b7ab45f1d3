/** Steps on their way and what was refused, by incident, so that each is told where its buttons are. */

import { signal } from "@preact/signals";
import type { Problem } from "../api/problem";

export const refusals = signal<ReadonlyMap<string, Problem>>(new Map());
export const busy = signal<ReadonlySet<string>>(new Set());

/** Take a step, one at a time for an incident: a second click while it is on its way does nothing. Gives whether it was taken. */
export async function tell(incidentId: string, step: () => Promise<Problem | null>): Promise<boolean> {
  if (busy.value.has(incidentId)) return false;
  busy.value = new Set(busy.value).add(incidentId);
  const problem = await step();
  const left = new Set(busy.value);
  left.delete(incidentId);
  busy.value = left;
  const next = new Map(refusals.value);
  if (problem) next.set(incidentId, problem);
  else next.delete(incidentId);
  refusals.value = next;
  return problem === null;
}

/** What was refused is old news once the alarm is opened anew. */
export function forget(incidentId: string): void {
  if (!refusals.value.has(incidentId)) return;
  const next = new Map(refusals.value);
  next.delete(incidentId);
  refusals.value = next;
}
