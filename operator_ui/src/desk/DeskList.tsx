import { useSignal } from "@preact/signals";
import type { Incident } from "../api/client";
import { clock, dayAndTime, wordFor } from "../words";
import { chosenId, choose, closedHere, isWaiting, openHere, ours } from "./desk";
import { say } from "./words";

/** What was dispatched to this desk: open first, closed below. */
export function DeskList() {
  const showsClosed = useSignal(false);
  const open = openHere.value;
  const closed = closedHere.value;
  return (
    <aside class="desk-list" aria-label={say("dispatched_to_us")} data-testid="desk-list">
      <h2>
        {say("dispatched_to_us")} <b>{open.length}</b>
      </h2>
      <ol>
        {open.map((incident) => (
          <DeskItem key={incident.id} incident={incident} />
        ))}
      </ol>
      {open.length === 0 && <p>{say("nothing")}</p>}
      {closed.length > 0 && (
        <>
          <button type="button" class="quiet closed-toggle" aria-expanded={showsClosed.value} data-testid="closed-toggle" onClick={() => (showsClosed.value = !showsClosed.value)}>
            {showsClosed.value ? "▾" : "▸"} {say("closed_list")} {closed.length}
          </button>
          {showsClosed.value && (
            <ol class="closed">
              {closed.map((incident) => (
                <DeskItem key={incident.id} incident={incident} />
              ))}
            </ol>
          )}
        </>
      )}
    </aside>
  );
}

function DeskItem({ incident }: { incident: Incident }) {
  const at = ours(incident)?.dispatched_at ?? incident.raised_at;
  const isClosed = incident.state === "closed";
  return (
    <li>
      <button
        type="button"
        class="desk-item"
        data-incident={incident.id}
        data-state={incident.state}
        data-severity={incident.severity}
        data-waiting={isWaiting(incident)}
        aria-pressed={chosenId.value === incident.id}
        onClick={() => choose(incident.id)}
      >
        <b>
          {wordFor("kind", incident.kind)} <em>{wordFor("severity", incident.severity)}</em>
        </b>
        <span>{incident.camera_name}</span>
        <small>
          {isClosed ? dayAndTime(at) : clock(at).slice(0, 5)} · {isWaiting(incident) ? <strong>{say("waiting")}</strong> : stateText(incident)}
        </small>
      </button>
    </li>
  );
}

/** How far this desk is with it; the desk's own steps count here, not the other desk's. */
function stateText(incident: Incident): string {
  const dispatch = ours(incident);
  if (incident.state === "closed" || !dispatch) return wordFor("state", incident.state);
  return say(dispatch.outcome_at ? "outcome" : dispatch.arrived_at ? "arrive" : "receive");
}
