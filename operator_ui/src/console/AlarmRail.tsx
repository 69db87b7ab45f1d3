import { useSignal } from "@preact/signals";
import type { Incident } from "../api/client";
import { clock, word, wordFor } from "../words";
import { closedIncidents, incidents, openIncidents } from "../city/city";
import { acknowledge, close } from "../city/steps";
import { problemWords, type Problem } from "../api/problem";
import { selectIncident, selected } from "./selection";

const VERDICTS = ["real", "false", "unsure"] as const;

export function AlarmRail() {
  const showClosed = useSignal(false);
  const list = showClosed.value ? closedIncidents.value : openIncidents.value;
  return (
    <aside class="rail" aria-label={word("alarms")}>
      <div class="rail-tabs" role="group">
        <button type="button" aria-pressed={!showClosed.value} onClick={() => (showClosed.value = false)}>
          {word("alarms_open")} <b>{openIncidents.value.length}</b>
        </button>
        <button type="button" aria-pressed={showClosed.value} onClick={() => (showClosed.value = true)}>
          {word("alarms_closed")}
        </button>
      </div>
      {incidents.value.size === 0 || list.length === 0 ? (
        <p class="page-note">{word(showClosed.value ? "no_closed_alarms" : "no_open_alarms")}</p>
      ) : (
        <ol class="alarms">
          {list.map((incident) => (
            <AlarmCard key={incident.id} incident={incident} />
          ))}
        </ol>
      )}
    </aside>
  );
}

function AlarmCard({ incident }: { incident: Incident }) {
  return (
    <li
      class="alarm"
      data-incident={incident.id}
      data-kind={incident.kind}
      data-state={incident.state}
      data-severity={incident.severity}
      data-selected={selected.value?.incidentId === incident.id}
    >
      <button type="button" class="alarm-open" onClick={() => selectIncident(incident)}>
        {incident.snapshot_url ? (
          <img src={incident.snapshot_url} alt={word("snapshot_of")} loading="lazy" width="128" height="72" />
        ) : (
          <span class="no-snapshot" />
        )}
        <AlarmFacts incident={incident} />
      </button>
      <AlarmActions incident={incident} />
    </li>
  );
}

export function AlarmFacts({ incident }: { incident: Incident }) {
  return (
    <span class="alarm-facts">
      <span class="alarm-kind">
        {wordFor("kind", incident.kind)}
        <em>{wordFor("severity", incident.severity)}</em>
      </span>
      <span>{incident.camera_name}</span>
      <small>
        {clock(incident.started_at)} · {word("zone")} {incident.zone}
        {incident.event_count > 1 && ` · ${incident.event_count} ${word("events")}`}
      </small>
      <small>
        {wordFor("state", incident.state)}
        {incident.acknowledged_by && ` ${word("by")} ${incident.acknowledged_by}`}
        {incident.verdict && ` · ${wordFor("verdict", incident.verdict)}`}
      </small>
    </span>
  );
}

export function AlarmActions({ incident }: { incident: Incident }) {
  const error = useSignal("");
  const act = async (action: Promise<Problem | null>): Promise<void> => {
    const problem = await action;
    error.value = problem ? problemWords(problem) : "";
  };
  if (incident.state === "closed") return null;
  return (
    <span class="alarm-actions">
      {incident.state === "new" && (
        <button type="button" class="primary" onClick={() => void act(acknowledge(incident.id))}>
          {word("acknowledge")}
        </button>
      )}
      <span class="verdicts" role="group" aria-label={word("close_as")}>
        <small>{word("close_as")}</small>
        {VERDICTS.map((verdict) => (
          <button key={verdict} type="button" data-verdict={verdict} onClick={() => void act(close(incident.id, verdict))}>
            {wordFor("verdict", verdict)}
          </button>
        ))}
      </span>
      {error.value && (
        <small class="form-error" role="alert">
          {error}
        </small>
      )}
    </span>
  );
}
