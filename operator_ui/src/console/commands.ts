/** What the keys do. */

import { account } from "../session/session";
import { acknowledge, takeOver } from "../city/steps";
import { incidents } from "../city/city";
import type { Incident } from "../api/client";
import { offered } from "./actions";
import { commandOf, type Command } from "./keys";
import { turnPage } from "./pages";
import { prefer } from "./preferences";
import { tell } from "./refusals";
import { back, clearSelection, form, overlay, selectIncident, selectedIncident, type Form } from "./selection";

/** Listen until the returned function is called. */
export function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    // A dialog has the keyboard for itself.
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const target = event.target as HTMLElement;
    const isTyping = target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
    const command = commandOf(event, isTyping);
    if (command && run(command, isTyping ? target : null)) event.preventDefault();
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

/** The console is left: nothing of it stays open. */
export function clearForgotten(): void {
  clearSelection();
  overlay.value = null;
}

/** Gives whether the key was used. */
function run(command: Command, typingIn: HTMLElement | null): boolean {
  switch (command.name) {
    case "next":
    case "previous":
      return focusAlarm(command.name === "next" ? 1 : -1);
    case "acknowledge":
      return step((incident) => void tell(incident.id, () => acknowledge(incident.id)), "acknowledge");
    case "take-over":
      return step((incident) => void tell(incident.id, () => takeOver(incident.id)), "takeOver");
    case "dispatch":
      return openForm({ name: "dispatch" });
    case "verdict":
      return openForm({ name: "close", verdict: command.verdict });
    case "note":
      return focusNote();
    case "back":
      // Out of the text first; what was written stays.
      if (typingIn) typingIn.blur();
      else back();
      return true;
    case "search":
    case "help":
      overlay.value = command.name;
      return true;
    case "layout":
      clearSelection();
      prefer({ tiles: command.tiles });
      return true;
    case "next-page":
    case "previous-page":
      return turnPage(command.name === "next-page" ? 1 : -1);
  }
}

function focusAlarm(by: 1 | -1): boolean {
  const alarms = [...document.querySelectorAll<HTMLElement>(".alarm-open")];
  const at = alarms.findIndex((alarm) => alarm === document.activeElement);
  const chosen = alarms.findIndex((alarm) => alarm.closest("[data-selected=true]"));
  const from = at >= 0 ? at : chosen;
  const next = from < 0 ? (by > 0 ? 0 : alarms.length - 1) : Math.min(Math.max(from + by, 0), alarms.length - 1);
  alarms[next]?.focus();
  return alarms.length > 0;
}

/** The alarm with the focus, else the one that is open. */
function current(): Incident | null {
  const focused = document.activeElement?.closest<HTMLElement>(".alarm")?.dataset["incident"];
  return incidents.value.get(focused ?? "") ?? selectedIncident.value;
}

function step(take: (incident: Incident) => void, which: "acknowledge" | "takeOver"): boolean {
  const incident = current();
  const person = account.value;
  if (!incident || !person || !offered(incident, person)[which]) return false;
  take(incident);
  return true;
}

function openForm(wanted: Exclude<Form, null>): boolean {
  const incident = current();
  const person = account.value;
  if (!incident || !person) return false;
  const may = offered(incident, person);
  if (wanted.name === "close" ? !may.close : may.dispatch.length === 0) return false;
  selectIncident(incident);
  form.value = wanted;
  return true;
}

function focusNote(): boolean {
  const note = document.querySelector<HTMLElement>(".note-form input");
  note?.focus();
  return note !== null;
}
