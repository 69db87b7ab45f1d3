/** A camera as it stands in the form: texts, so that what was typed is never lost to a wrong number. */

import type { components } from "../../api/schema";
import { recordingDraft, recordingOf, type RecordingDraft } from "./recording";
import type { RegisteredCamera } from "./register";
import type { Category } from "./words";

export const KINDS = ["intrusion", "loitering", "dumping", "parking", "fire"] as const;
export const SEVERITIES = ["attention", "caution", "alert", "serious"] as const;
export type Kind = (typeof KINDS)[number];
export type Severity = (typeof SEVERITIES)[number];

/** The one number that each rule has, its start value, and the severity that the rule has of itself (config/settings.py). */
export const RULES = {
  intrusion: { threshold: "confirm_seconds", seconds: "0.5", severity: "alert" },
  loitering: { threshold: "dwell_seconds", seconds: "60", severity: "attention" },
  dumping: { threshold: "owner_gone_seconds", seconds: "10", severity: "caution" },
  parking: { threshold: "dwell_seconds", seconds: "300", severity: "attention" },
  fire: { threshold: "confirm_seconds", seconds: "3", severity: "serious" },
} as const satisfies Record<Kind, { threshold: string; seconds: string; severity: Severity }>;

export interface RuleDraft {
  kind: Kind;
  severity: Severity;
  seconds: string;
}

export interface ZoneDraft {
  name: string;
  points: [string, string][];
  rules: RuleDraft[];
}

export interface CameraDraft {
  id: string;
  name: string;
  category: Category;
  purpose: string;
  latitude: string;
  longitude: string;
  main: string;
  sub: string;
  username: string;
  password: string;
  removePassword: boolean;
  transport: Transport;
  record: boolean;
  recording: RecordingDraft;
  enabled: boolean;
  zones: ZoneDraft[];
}

export type CameraBody = components["schemas"]["Camera"];
export type Transport = RegisteredCamera["transport"];
export const TRANSPORTS: Transport[] = ["tcp", "udp", "auto"];
type RuleBody = components["schemas"]["Zone"]["rules"][number];

export const WHOLE_PICTURE: [string, string][] = [
  ["0", "0"],
  ["1", "0"],
  ["1", "1"],
  ["0", "1"],
];

export function newRule(kind: Kind): RuleDraft {
  return { kind, severity: RULES[kind].severity, seconds: RULES[kind].seconds };
}

export function emptyDraft(): CameraDraft {
  return {
    id: "",
    name: "",
    category: "neighbourhood_crime_prevention",
    purpose: "",
    latitude: "",
    longitude: "",
    main: "",
    sub: "",
    username: "",
    password: "",
    removePassword: false,
    transport: "tcp",
    record: true,
    recording: recordingDraft(undefined),
    enabled: true,
    zones: [],
  };
}

export function draftOf(camera: RegisteredCamera): CameraDraft {
  const { id, name, category, purpose, main, transport, record, recording, enabled } = camera;
  return {
    ...emptyDraft(),
    ...{ id, name, category, purpose, main, transport, record, enabled },
    recording: recordingDraft(recording),
    latitude: camera.position ? String(camera.position.latitude) : "",
    longitude: camera.position ? String(camera.position.longitude) : "",
    sub: camera.sub ?? "",
    username: camera.username ?? "",
    zones: camera.zones.map((zone) => ({
      name: zone.name,
      points: zone.polygon.map(([x, y]): [string, string] => [String(x), String(y)]),
      rules: zone.rules.map(ruleDraft),
    })),
  };
}

function ruleDraft(rule: RegisteredCamera["zones"][number]["rules"][number]): RuleDraft {
  const values: Record<string, unknown> = rule;
  const kind = rule.kind;
  return { kind, severity: rule.severity, seconds: String(values[RULES[kind].threshold]) };
}

/** The camera as the API takes it. A text that is no number goes out as it is, so that the API says which field it was. */
export function cameraOf(draft: CameraDraft): CameraBody {
  const { id, name, category, purpose, main, transport, record, recording, enabled } = draft;
  const hasPosition = draft.latitude.trim() !== "" || draft.longitude.trim() !== "";
  const password = draft.removePassword ? "" : draft.password;
  return {
    ...{ id: id.trim(), name: name.trim(), category, purpose: purpose.trim(), main: main.trim(), transport, record, enabled },
    position: hasPosition ? { latitude: number(draft.latitude), longitude: number(draft.longitude) } : null,
    sub: draft.sub.trim() || null,
    recording: recordingOf(recording),
    username: draft.username.trim() || null,
    ...(password || draft.removePassword ? { password } : {}),
    zones: draft.zones.map((zone) => ({
      name: zone.name.trim(),
      polygon: zone.points.map(([x, y]): [number, number] => [number(x), number(y)]),
      rules: zone.rules.map(
        ({ kind, severity, seconds }) => ({ kind, severity, [RULES[kind].threshold]: number(seconds) }) as RuleBody,
      ),
    })),
  };
}

function number(text: string): number {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : (text as unknown as number);
}
