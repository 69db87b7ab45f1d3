import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Incident } from "../api/client";
import { ProblemNote } from "../api/ProblemNote";
import { offline } from "../city/city";
import { acknowledge } from "../city/steps";
import { account } from "../session/session";
import { clock, word, wordFor } from "../words";
import { offered } from "./actions";
import { Age } from "./Age";
import { arrived } from "./arrivals";
import { busy, refusals, tell } from "./refusals";
import { isUnseen, selected, selectedIncident, selectIncident } from "./selection";
import { say } from "./words";

/** An alarm in the rail: enough to decide whether to open it, and one touch to take it. */
export function AlarmCard({ incident }: { incident: Incident }) {
  const person = account.value;
  const unseen = isUnseen(incident);
  const isSelected = selected.value?.incidentId === incident.id;
  return (
    <li
      class="alarm"
      data-incident={incident.id}
      data-kind={incident.kind}
      data-family={incident.family}
      data-camera={incident.camera_id}
      data-state={incident.state}
      data-severity={incident.severity}
      data-selected={isSelected}
      data-unseen={unseen}
      data-arrived={unseen && arrived.value.has(incident.id)}
    >
      <button type="button" class="alarm-open" aria-current={isSelected ? "true" : undefined} onClick={() => selectIncident(incident)}>
        <Thumbnail url={incident.snapshot_url} />
        <AlarmFacts incident={incident} unseen={unseen} />
      </button>
      {person && offered(incident, person).acknowledge && !isSelected && (
        <button
          type="button"
          class="alarm-take"
          data-testid="acknowledge"
          disabled={busy.value.has(incident.id)}
          onClick={() => void tell(incident.id, () => acknowledge(incident.id))}
        >
          {say("acknowledge")}
        </button>
      )}
      {selectedIncident.value?.id !== incident.id && <ProblemNote problem={refusals.value.get(incident.id) ?? null} />}
    </li>
  );
}

function Thumbnail({ url }: { url: string | null }) {
  const failed = useSignal(false);
  useEffect(() => {
    if (!offline.value) failed.value = false;
  }, [offline.value]);
  if (!url || failed.value) return <span class="no-snapshot" />;
  return <img src={url} alt="" loading="lazy" width="128" height="72" onError={() => (failed.value = true)} />;
}

function AlarmFacts({ incident, unseen }: { incident: Incident; unseen: boolean }) {
  return (
    <span class="alarm-facts">
      <span class="alarm-kind">
        {unseen && <i class="unseen" role="img" aria-label={say("unseen")} />}
        <span>{wordFor("kind", incident.kind)}</span>
        <em>{wordFor("severity", incident.severity)}</em>
      </span>
      <span class="alarm-camera" title={incident.camera_name}>{incident.camera_name}</span>
      <small class="alarm-when">
        <time dateTime={incident.raised_at}>{clock(incident.raised_at).slice(0, 5)}</time> · <Age at={incident.raised_at} />
      </small>
      <small class="alarm-state">
        {wordFor("state", incident.state)}
        {incident.owner && ` · ${incident.owner}`}
        {incident.verdict && ` · ${wordFor("verdict", incident.verdict)}`}
        {incident.dispatches.map((dispatch) => ` · ${word(`desk_${dispatch.desk}`)}`)}
      </small>
    </span>
  );
}
