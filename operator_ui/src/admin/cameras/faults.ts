/** Faults that the API found in a camera, brought to the field of the form that they belong to. */

import type { Kind } from "./draft";
import { KINDS } from "./draft";
import type { FormWord } from "./form-words";

export interface Fault {
  field: string;
  message: string;
  /** For a list of cameras: which one, and in which line of the text. */
  camera?: string;
  line?: number | null;
}

/** `zones.0.rules.1.dumping.owner_gone_seconds` without the name of the rule's form, as the form itself counts. */
export function formField(field: string): string {
  return field
    .replace(/^(camera|body)\./, "")
    .split(".")
    .filter((part, index, parts) => !(KINDS.includes(part as Kind) && parts[index - 2] === "rules"))
    .join(".");
}

/** The first fault at `field` or inside it. */
export function faultAt(faults: Fault[], field: string): Fault | undefined {
  return faults.find((fault) => {
    const at = formField(fault.field);
    return at === field || at.startsWith(`${field}.`);
  });
}

/** Faults that no field of the form shows. */
export function faultsElsewhere(faults: Fault[]): Fault[] {
  return faults.filter((fault) => !SHOWN.test(formField(fault.field)));
}

const SHOWN = /^(id|name|category|purpose|position|main|sub|username|password|record|recording|enabled|zones\.\d+)(\.|$)/;

/** What the field must be, as a word of the form. */
export function hintFor(field: string): FormWord | null {
  const at = formField(field);
  if (/^zones\.\d+\.name/.test(at)) return "hint_zone";
  if (/^zones\.\d+\.polygon/.test(at)) return "hint_polygon";
  if (/^zones\.\d+\.rules/.test(at)) return "hint_rule";
  const top = at.split(".")[0] ?? "";
  return HINTS[top] ?? null;
}

const HINTS: Record<string, FormWord> = {
  id: "hint_id",
  name: "hint_name",
  purpose: "hint_purpose",
  position: "hint_position",
  main: "hint_main",
  sub: "hint_sub",
};
