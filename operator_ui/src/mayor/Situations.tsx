import { openAlarms } from "../city/city";
import { clock, wordFor } from "../words";
import { openPicture } from "./picture";
import { say } from "./words";

/** The open incidents, worst first: one touch leads to the place. */
export function Situations() {
  const open = [...openAlarms.value].sort((a, b) => RANK.indexOf(b.severity) - RANK.indexOf(a.severity));
  return (
    <section class="situations" aria-label={say("going_on")} data-testid="situations">
      <h2>
        {say("going_on")} {open.length > 0 && <b>{open.length}</b>}
      </h2>
      {open.length === 0 ? (
        <p>{say("nothing_going_on")}</p>
      ) : (
        <div class="situation-cards">
          {open.map((incident) => (
            <button
              key={incident.id}
              type="button"
              class="situation"
              data-incident={incident.id}
              data-camera={incident.camera_id}
              data-severity={incident.severity}
              onClick={() => openPicture(incident.camera_id, "alarm")}
            >
              <b>
                {wordFor("kind", incident.kind)} <em>{wordFor("severity", incident.severity)}</em>
              </b>
              <span>{incident.camera_name}</span>
              <small>
                {clock(incident.raised_at).slice(0, 5)} · {wordFor("state", incident.state)}
                {incident.dispatches.map((each) => ` · ${wordFor("desk", each.desk)}`)}
              </small>
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

const RANK = ["attention", "caution", "alert", "serious"];
