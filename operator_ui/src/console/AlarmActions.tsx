import { useSignal } from "@preact/signals";
import type { Incident, Verdict } from "../api/client";
import { ProblemNote } from "../api/ProblemNote";
import { acknowledge, addNote, takeOver } from "../city/steps";
import { account } from "../session/session";
import { wordFor } from "../words";
import { offered } from "./actions";
import { AssignForm } from "./AssignForm";
import { CloseForm } from "./CloseForm";
import { DispatchForm } from "./DispatchForm";
import { busy, refusals, tell } from "./refusals";
import { form, type Form } from "./selection";
import { say } from "./words";

const VERDICTS: readonly Verdict[] = ["real", "false", "unsure"];

/** The steps this person may take now, each with its form; what is refused is told here. */
export function AlarmActions({ incident }: { incident: Incident }) {
  const person = account.value;
  if (!person || incident.state === "closed") return <ProblemNote problem={refusals.value.get(incident.id) ?? null} />;
  const may = offered(incident, person);
  const isBusy = busy.value.has(incident.id);
  const open = (wanted: Form): void => {
    form.value = JSON.stringify(form.value) === JSON.stringify(wanted) ? null : wanted;
  };
  return (
    <div class="actions" data-testid="actions">
      <div class="action-row">
        {may.acknowledge && (
          <button type="button" class="primary" data-testid="acknowledge" disabled={isBusy} onClick={() => void tell(incident.id, () => acknowledge(incident.id))}>
            {say("acknowledge")} <kbd>a</kbd>
          </button>
        )}
        {may.takeOver && (
          <button type="button" data-testid="take-over" disabled={isBusy} onClick={() => void tell(incident.id, () => takeOver(incident.id))}>
            {say("take_over")} <kbd>t</kbd>
          </button>
        )}
        {may.dispatch.length > 0 && (
          <button type="button" class="dispatching" data-testid="dispatch" aria-expanded={form.value?.name === "dispatch"} onClick={() => open({ name: "dispatch" })}>
            {say("dispatch")} <kbd>d</kbd>
          </button>
        )}
        {may.assign && (
          <button type="button" data-testid="assign" aria-expanded={form.value?.name === "assign"} onClick={() => open({ name: "assign" })}>
            {say("assign")}
          </button>
        )}
      </div>
      {may.isAnothers && (
        <p class="quiet-note">
          {incident.owner}
          {say("anothers")} {!may.close && say("anothers_take")}
        </p>
      )}
      {may.close && (
        <div class="verdicts" role="group" aria-label={say("close_as")}>
          <small>{say("close_as")}</small>
          {VERDICTS.map((verdict, index) => (
            <button
              key={verdict}
              type="button"
              data-verdict={verdict}
              aria-pressed={form.value?.name === "close" && form.value.verdict === verdict}
              onClick={() => open({ name: "close", verdict })}
            >
              {wordFor("verdict", verdict)} <kbd>{index + 1}</kbd>
            </button>
          ))}
        </div>
      )}
      {form.value?.name === "dispatch" && <DispatchForm key={may.dispatch.join()} incident={incident} desks={may.dispatch} />}
      {form.value?.name === "assign" && <AssignForm incident={incident} />}
      {form.value?.name === "close" && <CloseForm incident={incident} verdict={form.value.verdict} />}
      <ProblemNote problem={refusals.value.get(incident.id) ?? null} />
      {may.note && <NoteForm incident={incident} />}
    </div>
  );
}

function NoteForm({ incident }: { incident: Incident }) {
  const note = useSignal("");
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const text = note.value.trim();
    if (text && (await tell(incident.id, () => addNote(incident.id, text)))) note.value = "";
  };
  return (
    <form class="note-form" onSubmit={(event) => void submit(event)}>
      <input
        value={note.value}
        maxLength={2000}
        placeholder={say("add_note")}
        aria-label={say("add_note")}
        data-testid="note"
        onInput={(event) => (note.value = event.currentTarget.value)}
      />
      <button disabled={!note.value.trim() || busy.value.has(incident.id)}>{say("add")}</button>
    </form>
  );
}
