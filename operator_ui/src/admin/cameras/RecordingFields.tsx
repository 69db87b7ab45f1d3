import type { PartOf } from "./CameraForm";
import type { Fault } from "./faults";
import { FaultNote, Field } from "./Field";
import { isOnEvent, MODES, newHours, type HoursDraft, type Mode, type RecordingDraft, WEEKDAYS } from "./recording";
import { say } from "./recording-words";
import { Switch } from "./Switch";

/** When the camera is recorded, and how long that is kept. */
export function RecordingFields({ draft, faults }: PartOf) {
  const { record, recording } = draft.value;
  const set = (change: Partial<RecordingDraft>): void => {
    draft.value = { ...draft.value, recording: { ...recording, ...change } };
  };
  return (
    <fieldset class="field-group" data-testid="recording-fields">
      <legend>{say("group")}</legend>
      <div class="switches">
        <Switch name="record" label={say("record")} hint={say("hint_record")} on={record} onChange={(on) => (draft.value = { ...draft.value, record: on })} />
      </div>
      {record && (
        <>
          <Field label={say("mode")} field="recording.mode" faults={faults} hint={say(`hint_${recording.mode}`)}>
            <ModeSelect name="recording-mode" mode={recording.mode} onChange={(mode) => set({ mode })} />
          </Field>
          <span class="field" />
          {isOnEvent(recording) && <EventSeconds recording={recording} faults={faults} onChange={set} />}
          <Hours hours={recording.hours} faults={faults} onChange={(hours) => set({ hours })} />
          <Field label={say("keep_days")} field="recording.keep_days" faults={faults} hint={say("hint_keep")}>
            <input name="keep-days" inputMode="decimal" value={recording.keepDays} onInput={(event) => set({ keepDays: event.currentTarget.value })} />
          </Field>
          <Field label={say("keep_gigabytes")} field="recording.keep_bytes" faults={faults} hint={say("hint_keep_gigabytes")}>
            <input name="keep-gigabytes" inputMode="decimal" value={recording.keepGigabytes} onInput={(event) => set({ keepGigabytes: event.currentTarget.value })} />
          </Field>
        </>
      )}
    </fieldset>
  );
}

interface SecondsOf {
  recording: RecordingDraft;
  faults: Fault[];
  onChange: (change: Partial<RecordingDraft>) => void;
}

function EventSeconds({ recording, faults, onChange }: SecondsOf) {
  return (
    <>
      <Field label={say("pre")} field="recording.pre_event_seconds" faults={faults} hint={say("hint_pre")}>
        <input name="pre-event" inputMode="decimal" value={recording.pre} onInput={(event) => onChange({ pre: event.currentTarget.value })} />
      </Field>
      <Field label={say("post")} field="recording.post_event_seconds" faults={faults} hint={say("hint_post")}>
        <input name="post-event" inputMode="decimal" value={recording.post} onInput={(event) => onChange({ post: event.currentTarget.value })} />
      </Field>
    </>
  );
}

function ModeSelect({ name, mode, onChange }: { name: string; mode: Mode; onChange: (mode: Mode) => void }) {
  return (
    <select name={name} value={mode} aria-label={say("mode")} onChange={(event) => onChange(event.currentTarget.value as Mode)}>
      {MODES.map((one) => (
        <option key={one} value={one}>
          {say(`mode_${one}`)}
        </option>
      ))}
    </select>
  );
}

interface HoursOf {
  hours: HoursDraft[];
  faults: Fault[];
  onChange: (hours: HoursDraft[]) => void;
}

/** Times of the week with a mode of their own; the first that fits holds. */
function Hours({ hours, faults, onChange }: HoursOf) {
  return (
    <div class="recording-hours">
      <b>{say("hours")}</b>
      <small>{say("hint_hours")}</small>
      {hours.map((one, index) => {
        const set = (change: Partial<HoursDraft>): void => onChange(hours.map((each, at) => (at === index ? { ...each, ...change } : each)));
        return (
          <div key={index} class="hours-row" data-testid="hours">
            <Days days={one.days} onChange={(days) => set({ days })} />
            <TimeInput name="start" label={say("start")} value={one.start} onInput={(start) => set({ start })} />
            <TimeInput name="end" label={say("end")} value={one.end} onInput={(end) => set({ end })} />
            <ModeSelect name="hours-mode" mode={one.mode} onChange={(mode) => set({ mode })} />
            <button type="button" class="quiet" aria-label={say("hours_remove")} onClick={() => onChange(hours.filter((_, at) => at !== index))}>
              ×
            </button>
            <FaultNote field={`recording.hours.${index}`} faults={faults} />
          </div>
        );
      })}
      <button type="button" data-testid="add-hours" onClick={() => onChange([...hours, newHours()])}>
        {say("hours_add")}
      </button>
    </div>
  );
}

function TimeInput({ name, label, value, onInput }: { name: string; label: string; value: string; onInput: (value: string) => void }) {
  return (
    <label class="hours-time">
      {label}
      <input name={`hours-${name}`} value={value} placeholder="22:00" maxLength={5} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

function Days({ days, onChange }: { days: HoursDraft["days"]; onChange: (days: HoursDraft["days"]) => void }) {
  return (
    <span class="hours-days" role="group" aria-label={say("days")}>
      {WEEKDAYS.map((day) => {
        const isOn = days.includes(day);
        return (
          <button key={day} type="button" aria-pressed={isOn} data-day={day} onClick={() => onChange(isOn ? days.filter((one) => one !== day) : [...days, day])}>
            {say(day)}
          </button>
        );
      })}
    </span>
  );
}
