import { useSignal, type Signal } from "@preact/signals";
import { wordFor } from "../../words";
import { say as sayPage } from "../words";
import type { CameraDraft } from "./draft";
import { faultsElsewhere, type Fault } from "./faults";
import { Field } from "./Field";
import { say } from "./form-words";
import { ReachFields } from "./ReachFields";
import { RecordingFields } from "./RecordingFields";
import { save, type Refused } from "./register";
import { CATEGORIES, type Category } from "./words";
import { ZoneList } from "./ZoneList";

interface FormOf {
  draft: Signal<CameraDraft>;
  isNew: boolean;
  hasPassword: boolean;
  onDone: () => void;
}

export interface PartOf {
  draft: Signal<CameraDraft>;
  faults: Fault[];
}

export function CameraForm({ draft, isNew, hasPassword, onDone }: FormOf) {
  const refused = useSignal<Refused | null>(null);
  const busy = useSignal(false);
  const faults = refused.value?.faults ?? [];

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    busy.value = true;
    refused.value = await save(draft.value, isNew);
    busy.value = false;
    if (!refused.value) return onDone();
    requestAnimationFrame(() => document.querySelector(".camera-form [data-faulty=true]")?.scrollIntoView({ block: "center" }));
  }

  return (
    <form class="camera-form" noValidate onSubmit={(event) => void submit(event)} data-testid="camera-form">
      <h1>{say(isNew ? "title_add" : "title_edit")}</h1>
      <WhatFields draft={draft} faults={faults} isNew={isNew} />
      <ReachFields draft={draft} faults={faults} hasPassword={hasPassword} />
      <RecordingFields draft={draft} faults={faults} />
      <ZoneList draft={draft} faults={faults} />
      {refused.value && <Refusal refused={refused.value} />}
      <p class="admin-buttons sticky">
        <button type="button" onClick={onDone}>
          {sayPage("cancel")}
        </button>
        <button class="primary" disabled={busy.value} data-testid="save-camera">
          {say(busy.value ? "saving" : "save")}
        </button>
      </p>
    </form>
  );
}

function Refusal({ refused }: { refused: Refused }) {
  const elsewhere = faultsElsewhere(refused.faults);
  return (
    <div class="admin-failed" role="alert" data-testid="form-refused">
      <b>{refused.faults.length > 0 ? say("faults") : refused.detail}</b>
      {elsewhere.map((fault) => (
        <small key={fault.field + fault.message}>
          {fault.field}: {fault.message}
        </small>
      ))}
    </div>
  );
}

function WhatFields({ draft, faults, isNew }: PartOf & { isNew: boolean }) {
  const set = (change: Partial<CameraDraft>): void => {
    draft.value = { ...draft.value, ...change };
  };
  const { id, name, category, purpose, latitude, longitude } = draft.value;
  return (
    <fieldset class="field-group">
      <legend>{say("group_what")}</legend>
      <Field label={say("field_id")} field="id" faults={faults} hint={isNew ? say("hint_id") : undefined}>
        <input name="id" value={id} readOnly={!isNew} autocomplete="off" onInput={(event) => set({ id: event.currentTarget.value })} />
      </Field>
      <Field label={say("field_name")} field="name" faults={faults}>
        <input name="name" value={name} autocomplete="off" onInput={(event) => set({ name: event.currentTarget.value })} />
      </Field>
      <Field label={say("field_category")} field="category" faults={faults}>
        <select name="category" value={category} onChange={(event) => set({ category: event.currentTarget.value as Category })}>
          {CATEGORIES.map((one) => (
            <option key={one} value={one}>
              {wordFor("category", one)}
            </option>
          ))}
        </select>
      </Field>
      <Field label={say("field_purpose")} field="purpose" faults={faults} hint={say("hint_purpose")} wide>
        <input name="purpose" value={purpose} onInput={(event) => set({ purpose: event.currentTarget.value })} />
      </Field>
      <Field label={say("field_position_latitude")} field="position" faults={faults} hint={say("hint_position")}>
        <input name="latitude" inputMode="decimal" value={latitude} onInput={(event) => set({ latitude: event.currentTarget.value })} />
      </Field>
      <Field label={say("field_position_longitude")} field="position.longitude" faults={[]}>
        <input name="longitude" inputMode="decimal" value={longitude} onInput={(event) => set({ longitude: event.currentTarget.value })} />
      </Field>
    </fieldset>
  );
}
