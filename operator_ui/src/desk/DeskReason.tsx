import type { Incident } from "../api/client";
import { cameraOf } from "../city/city";
import { clock, wordFor } from "../words";
import { Snapshot } from "./Snapshot";
import { say } from "./words";

/** Why the alarm was raised: the rule, where, how long, and its picture. */
export function DeskReason({ incident }: { incident: Incident }) {
  const zone = cameraOf(incident.camera_id)?.zones.find((each) => each.name === incident.zone);
  const seconds = zone?.rules.find((rule) => rule.kind === incident.kind)?.seconds;
  const label = `label_${incident.label}`;
  return (
    <section class="desk-card" data-testid="desk-reason">
      <h2>{say("reason")}</h2>
      <Snapshot incident={incident} />
      <dl>
        <dt>{say("rule")}</dt>
        <dd>
          {wordFor("kind", incident.kind)}
          {seconds != null && ` (${say("rule_seconds")} ${seconds} ${say("s")})`}
        </dd>
        <dt>{say("zone")}</dt>
        <dd>{incident.zone}</dd>
        {incident.dwell_seconds !== null && (
          <>
            <dt>{say("dwell")}</dt>
            <dd>
              {Math.round(incident.dwell_seconds)} {say("s")}
            </dd>
          </>
        )}
        <dt>{say("seen")}</dt>
        <dd>
          {clock(incident.started_at)} · {isKnown(label) ? say(label) : incident.label}
        </dd>
      </dl>
      <small>{say("found_by_machine")}</small>
    </section>
  );
}

const LABELS = ["label_person", "label_vehicle", "label_car", "label_bag", "label_fire", "label_smoke"] as const;

function isKnown(label: string): label is (typeof LABELS)[number] {
  return (LABELS as readonly string[]).includes(label);
}
