import type { Incident } from "../api/client";
import { cameraOf } from "../city/city";
import { IncidentHold } from "../holds/IncidentHold";
import { clock, wordFor } from "../words";
import { Age } from "./Age";
import { AlarmActions } from "./AlarmActions";
import { DeskAnswers } from "./DeskAnswers";
import { clearSelection } from "./selection";
import { Snapshot } from "./Snapshot";
import { Timeline } from "./Timeline";
import { say, sayFor } from "./words";

/** Why this alarm is here, and what can be done with it. */
export function ReasonCard({ incident }: { incident: Incident }) {
  return (
    <section class="card" data-incident={incident.id} data-severity={incident.severity} data-state={incident.state} data-testid="reason-card" aria-label={say("why")}>
      <header>
        <h2>
          {wordFor("kind", incident.kind)} <em>{wordFor("severity", incident.severity)}</em>
        </h2>
        <button type="button" class="quiet" aria-label={say("close_card")} onClick={clearSelection}>
          ×
        </button>
        <p>
          {incident.camera_name}
          <small>
            {clock(incident.raised_at)} · <Age at={incident.raised_at} /> · {wordFor("state", incident.state)} ·{" "}
            {incident.owner ? `${say("owner")} ${incident.owner}` : say("nobody")}
          </small>
        </p>
      </header>
      <div class="card-body">
        <AlarmActions incident={incident} />
        {incident.dispatches.length > 0 && <DeskAnswers dispatches={incident.dispatches} />}
        <h3>{say("why")}</h3>
        <Snapshot incident={incident} />
        <Why incident={incident} />
        {incident.family !== "fault" && <IncidentHold incident={incident} />}
        <Timeline incident={incident} />
      </div>
    </section>
  );
}

function Why({ incident }: { incident: Incident }) {
  const zone = cameraOf(incident.camera_id)?.zones.find((each) => each.name === incident.zone);
  const threshold = zone?.rules.find((rule) => rule.kind === incident.kind)?.seconds ?? null;
  const facts: [string, string][] = [
    [say("rule"), sayFor("rule", incident.kind)],
    [say("zone"), incident.zone],
    [say("seen_as"), sayFor("label", incident.label)],
    [say("certainty"), `${Math.round(incident.score * 100)} %`],
    [say("started"), clock(incident.started_at)],
    [say("events"), String(incident.event_count)],
  ];
  const rule = threshold === null ? "" : `${seconds(threshold)}${say("seconds")}`;
  if (incident.dwell_seconds !== null) {
    const lasted = `${seconds(incident.dwell_seconds)}${say("seconds")}`;
    facts.splice(2, 0, [say("dwell"), rule ? `${lasted} (${say("threshold")} ${rule})` : lasted]);
  } else if (rule) facts.splice(2, 0, [say("lasts"), rule]);
  return (
    <>
      <dl class="why" data-testid="why">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="by-machine">
        {incident.closed_by
          ? `${say("by_person")} ${incident.closed_by}${incident.verdict ? ` · ${wordFor("verdict", incident.verdict)}` : ""}`
          : say(incident.state === "closed" ? "closed_by_machine" : "by_machine")}
        {incident.note && <q>{incident.note}</q>}
      </p>
    </>
  );
}

function seconds(value: number): string {
  return value < 10 && value % 1 !== 0 ? value.toFixed(1) : String(Math.round(value));
}
