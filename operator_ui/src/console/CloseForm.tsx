import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Incident, Verdict } from "../api/client";
import { close } from "../city/steps";
import { word, wordFor } from "../words";
import { busy, tell } from "./refusals";
import { form } from "./selection";
import { say } from "./words";

/** The verdict chosen, a remark, and the confirmation, which has the focus: Enter closes. */
export function CloseForm({ incident, verdict }: { incident: Incident; verdict: Verdict }) {
  const note = useSignal("");
  const confirm = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => confirm.current?.focus(), [verdict]);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const taken = await tell(incident.id, () => close(incident.id, verdict, note.value.trim()));
    if (taken && form.value?.name === "close") form.value = null;
  };
  return (
    <form class="step-form" data-testid="close-form" onSubmit={(event) => void submit(event)}>
      <textarea
        name="note"
        rows={2}
        maxLength={2000}
        placeholder={say("close_note")}
        aria-label={say("close_note")}
        onInput={(event) => (note.value = event.currentTarget.value)}
      />
      <div class="form-end">
        <button type="button" class="quiet" onClick={() => (form.value = null)}>
          {word("cancel")}
        </button>
        <button class="primary" ref={confirm} data-testid="close-confirm" disabled={busy.value.has(incident.id)}>
          {say("close_confirm")} {wordFor("verdict", verdict)}
        </button>
      </div>
    </form>
  );
}
