import type { PartOf } from "./CameraForm";
import { newRule, WHOLE_PICTURE, type ZoneDraft } from "./draft";
import { Field, FaultNote } from "./Field";
import { say } from "./form-words";
import { PointTable } from "./PointTable";
import { RuleList } from "./RuleList";

/** The zones of a camera, each with its polygon as a table of points and its rules. */
export function ZoneList({ draft, faults }: PartOf) {
  const zones = draft.value.zones;
  const setZones = (next: ZoneDraft[]): void => {
    draft.value = { ...draft.value, zones: next };
  };
  const add = (): void => setZones([...zones, { name: freeName(zones), points: WHOLE_PICTURE, rules: [newRule("intrusion")] }]);
  return (
    <fieldset class="field-group zones">
      <legend>{say("group_zones")}</legend>
      <p class="wide quiet-text">{say("zones_intro")}</p>
      {zones.map((zone, index) => {
        const field = `zones.${index}`;
        const set = (change: Partial<ZoneDraft>): void =>
          setZones(zones.map((one, at) => (at === index ? { ...one, ...change } : one)));
        return (
          <section key={index} class="zone wide" data-zone={zone.name}>
            <div class="zone-head">
              <Field label={say("zone_name")} field={`${field}.name`} faults={faults}>
                <input name="zone-name" value={zone.name} onInput={(event) => set({ name: event.currentTarget.value })} />
              </Field>
              <button type="button" onClick={() => setZones(zones.filter((_, at) => at !== index))}>
                {say("zone_remove")}
              </button>
            </div>
            <PointTable points={zone.points} onChange={(points) => set({ points })} />
            <FaultNote field={`${field}.polygon`} faults={faults} />
            <RuleList rules={zone.rules} field={`${field}.rules`} faults={faults} onChange={(rules) => set({ rules })} />
          </section>
        );
      })}
      <button type="button" class="wide zone-add" data-testid="add-zone" onClick={add}>
        {say("zone_add")}
      </button>
    </fieldset>
  );
}

function freeName(zones: ZoneDraft[]): string {
  const taken = new Set(zones.map((zone) => zone.name));
  let number = zones.length + 1;
  while (taken.has(`zone-${number}`)) number += 1;
  return `zone-${number}`;
}
