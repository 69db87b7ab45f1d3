/** How a camera is recorded, as it stands in the form. Pure. */

import type { components } from "../../api/schema";

export type RecordingBody = components["schemas"]["CameraRecording"];
type HoursBody = components["schemas"]["RecordingHours"];
export type Mode = NonNullable<RecordingBody["mode"]>;
export type Weekday = NonNullable<HoursBody["days"]>[number];

export const MODES: Mode[] = ["continuous", "on_event", "off"];
export const WEEKDAYS: Weekday[] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const GIGABYTE = 1e9;

export interface HoursDraft {
  days: Weekday[];
  start: string;
  end: string;
  mode: Mode;
}

export interface RecordingDraft {
  mode: Mode;
  hours: HoursDraft[];
  pre: string;
  post: string;
  keepDays: string;
  keepGigabytes: string;
}

export function recordingDraft(body: RecordingBody | undefined): RecordingDraft {
  return {
    mode: body?.mode ?? "continuous",
    hours: (body?.hours ?? []).map(({ days, start, end, mode }) => ({ days: [...(days ?? WEEKDAYS)], start, end, mode })),
    pre: String(body?.pre_event_seconds ?? 5),
    post: String(body?.post_event_seconds ?? 30),
    keepDays: body?.keep_days == null ? "" : String(body.keep_days),
    keepGigabytes: body?.keep_bytes == null ? "" : String(body.keep_bytes / GIGABYTE),
  };
}

/** As the API takes it. A text that is no number goes out as it is, so that the API says which field it was. */
export function recordingOf(draft: RecordingDraft): RecordingBody {
  const bytes = number(draft.keepGigabytes);
  return {
    mode: draft.mode,
    hours: draft.hours.map(({ days, start, end, mode }) => ({ days: WEEKDAYS.filter((day) => days.includes(day)), start: start.trim(), end: end.trim(), mode })),
    pre_event_seconds: number(draft.pre),
    post_event_seconds: number(draft.post),
    keep_days: draft.keepDays.trim() === "" ? null : number(draft.keepDays),
    keep_bytes: draft.keepGigabytes.trim() === "" ? null : typeof bytes === "number" ? Math.round(bytes * GIGABYTE) : bytes,
  };
}

/** Whether an event changes anything, so that its seconds are worth asking for. */
export function isOnEvent({ mode, hours }: RecordingDraft): boolean {
  return mode === "on_event" || hours.some((one) => one.mode === "on_event");
}

export function newHours(): HoursDraft {
  return { days: [...WEEKDAYS], start: "22:00", end: "06:00", mode: "continuous" };
}

function number(text: string): number {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : (text as unknown as number);
}
