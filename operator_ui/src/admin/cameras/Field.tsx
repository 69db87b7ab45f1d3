import type { ComponentChildren } from "preact";
import { say } from "./form-words";
import { faultAt, hintFor, type Fault } from "./faults";

interface FieldOf {
  label: string;
  field: string;
  faults: Fault[];
  hint?: string | undefined;
  wide?: boolean;
  children: ComponentChildren;
}

/** A field with its hint, and the fault that the API found in it. */
export function Field({ label, field, faults, hint, wide, children }: FieldOf) {
  return (
    <label class={wide ? "field wide" : "field"} data-field={field} data-faulty={faultAt(faults, field) !== undefined}>
      {label}
      {children}
      <FaultNote field={field} faults={faults} hint={hint} />
    </label>
  );
}

export function FaultNote({ field, faults, hint }: { field: string; faults: Fault[]; hint?: string | undefined }) {
  const fault = faultAt(faults, field);
  if (!fault) return hint ? <small>{hint}</small> : null;
  const mend = hintFor(fault.field);
  return (
    <span class="fault" role="alert">
      {mend && say(mend)} <small>{fault.message}</small>
    </span>
  );
}
