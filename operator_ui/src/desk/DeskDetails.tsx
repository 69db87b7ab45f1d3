import type { Incident } from "../api/client";
import { clock, wordFor } from "../words";
import { DeskAnswers } from "./DeskAnswers";
import { DeskReason } from "./DeskReason";
import { myDesk, ours } from "./desk";
import { say } from "./words";

/** Beside the picture: the desk's answers, what the operator wrote, and why. */
export function DeskDetails({ incident }: { incident: Incident }) {
  const dispatch = ours(incident);
  const others = incident.dispatches.filter((each) => each.desk !== myDesk.value);
  return (
    <aside class="desk-details">
      {dispatch && <DeskAnswers key={incident.id} incident={incident} dispatch={dispatch} />}
      <section class="desk-card" data-testid="desk-operator-note">
        <h2>{say("from_operator")}</h2>
        <p class={dispatch?.note ? "operator-note" : "operator-note none"}>{dispatch?.note || say("no_note")}</p>
        {dispatch && (
          <small>
            {dispatch.dispatched_by} · {clock(dispatch.dispatched_at)}
            {others.map((each) => ` · ${say("other_desk")}: ${wordFor("desk", each.desk)}`)}
          </small>
        )}
      </section>
      <DeskReason incident={incident} />
    </aside>
  );
}
