import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Desk, Incident } from "../api/client";
import { dispatch } from "../city/steps";
import { word } from "../words";
import { usualDesks } from "./actions";
import { busy, tell } from "./refusals";
import { form } from "./selection";
import { say } from "./words";

/** To which desks, and what they should know. The usual desk of the kind is chosen already: one more touch sends it. */
export function DispatchForm({ incident, desks }: { incident: Incident; desks: Desk[] }) {
  const usual = usualDesks(incident.kind).filter((desk) => desks.includes(desk));
  const chosen = useSignal<Desk[]>(desks.length === 1 ? desks : usual);
  const note = useSignal("");
  const confirm = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => confirm.current?.focus(), []);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const taken = await tell(incident.id, () => dispatch(incident.id, chosen.value, note.value.trim()));
    if (taken && form.value?.name === "dispatch") form.value = null;
  };
  const isNone = chosen.value.length === 0;
  return (
    <form class="step-form" data-testid="dispatch-form" onSubmit={(event) => void submit(event)}>
      <div class="desk-choice" role="group" aria-label={say("dispatch_to")}>
        {desks.map((desk) => (
          <label key={desk}>
            <input
              type="checkbox"
              name="desk"
              value={desk}
              checked={chosen.value.includes(desk)}
              onChange={(event) => {
                const rest = chosen.value.filter((each) => each !== desk);
                chosen.value = event.currentTarget.checked ? [...rest, desk] : rest;
              }}
            />
            {word(`desk_${desk}`)}
          </label>
        ))}
      </div>
      <textarea
        name="note"
        rows={2}
        maxLength={2000}
        placeholder={say("dispatch_note")}
        aria-label={say("dispatch_note")}
        onInput={(event) => (note.value = event.currentTarget.value)}
      />
      <div class="form-end">
        <button type="button" class="quiet" onClick={() => (form.value = null)}>
          {word("cancel")}
        </button>
        <button class="primary" ref={confirm} data-testid="dispatch-confirm" disabled={isNone || busy.value.has(incident.id)}>
          {isNone ? say("choose_desk") : `${say("dispatch_confirm")}: ${chosen.value.map((desk) => word(`desk_${desk}`)).join(" + ")}`}
        </button>
      </div>
    </form>
  );
}
