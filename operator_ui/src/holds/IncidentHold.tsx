import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Incident } from "../api/client";
import type { Problem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { hasRight } from "../session/session";
import { word } from "../words";
import { HoldDays } from "./HoldDays";
import { HoldList } from "./HoldList";
import { holdIncident } from "./holds";
import { say } from "./words";

/** What of an alarm's recording is held, and the form to hold it. */
export function IncidentHold({ incident }: { incident: Incident }) {
  const placed = useSignal(0);
  if (!hasRight("view_holds")) return null;
  return (
    <section class="incident-hold" data-testid="incident-hold">
      <h3>{say("title")}</h3>
      <HoldList about={{ incident: incident.id }} version={`${incident.updated_at}/${placed.value}`} />
      {hasRight("hold_recordings") && <HoldForm key={incident.id} incident={incident} onPlaced={() => (placed.value += 1)} />}
    </section>
  );
}

function HoldForm({ incident, onPlaced }: { incident: Incident; onPlaced: () => void }) {
  const isOpen = useSignal(false);
  const reason = useSignal("");
  const days = useSignal(90);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    if (!isOpen.value) reason.value = "";
  }, [isOpen.value]);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!reason.value.trim()) return;
    problem.value = await holdIncident(incident.id, reason.value.trim(), days.value);
    if (problem.value) return;
    isOpen.value = false;
    onPlaced();
  };
  if (!isOpen.value) {
    return (
      <button type="button" data-testid="hold-open" onClick={() => (isOpen.value = true)}>
        {say("hold_incident")}
      </button>
    );
  }
  return (
    <form class="hold-form" data-testid="hold-form" onSubmit={(event) => void submit(event)}>
      <input
        value={reason.value}
        maxLength={500}
        placeholder={say("reason")}
        aria-label={say("reason")}
        onInput={(event) => (reason.value = event.currentTarget.value)}
      />
      <HoldDays days={days.value} onChoose={(value) => (days.value = value)} />
      <button type="button" class="quiet" onClick={() => (isOpen.value = false)}>
        {word("cancel")}
      </button>
      <button class="primary" data-testid="hold-confirm" disabled={!reason.value.trim()}>
        {say("hold")}
      </button>
      <small>{say("hold_hint")}</small>
      <ProblemNote problem={problem.value} />
    </form>
  );
}
