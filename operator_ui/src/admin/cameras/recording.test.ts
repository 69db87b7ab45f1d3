import { expect, test } from "vitest";
import { isOnEvent, newHours, recordingDraft, recordingOf } from "./recording";

test("what the register holds comes back from the form unchanged", () => {
  const body = {
    mode: "on_event" as const,
    hours: [{ days: ["saturday" as const, "sunday" as const], start: "00:00", end: "24:00", mode: "off" as const }],
    pre_event_seconds: 7.5,
    post_event_seconds: 60,
    keep_days: 15,
    keep_bytes: 200_000_000_000,
  };
  expect(recordingOf(recordingDraft(body))).toEqual(body);
});

test("an empty limit is none, and gigabytes are bytes", () => {
  const draft = recordingDraft(undefined);
  expect(recordingOf(draft)).toMatchObject({ mode: "continuous", keep_days: null, keep_bytes: null });
  expect(recordingOf({ ...draft, keepGigabytes: "1.5", keepDays: "2" })).toMatchObject({ keep_days: 2, keep_bytes: 1_500_000_000 });
});

test("a text that is no number goes to the API as it is", () => {
  expect(recordingOf({ ...recordingDraft(undefined), pre: "five", keepGigabytes: "much" })).toMatchObject({ pre_event_seconds: "five", keep_bytes: "much" });
});

test("hours on event make the event's seconds count, and days go out in the order of the week", () => {
  const draft = recordingDraft(undefined);
  expect(isOnEvent(draft)).toBe(false);
  const hours = [{ ...newHours(), days: ["sunday" as const, "monday" as const], mode: "on_event" as const }];
  expect(isOnEvent({ ...draft, hours })).toBe(true);
  expect(recordingOf({ ...draft, hours }).hours?.[0]?.days).toEqual(["monday", "sunday"]);
});
