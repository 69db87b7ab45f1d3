/** The center's API with types generated from its OpenAPI document (`npm run client`). */

import createClient from "openapi-fetch";
import type { Readable } from "openapi-typescript-helpers";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Camera = Readable<Schemas["CameraView"]> & { enabled?: boolean };
export type Session = Readable<Schemas["SessionView"]> & { account_id: string; desk: Desk | null };
export type Position = Readable<Schemas["PositionView"]>;
export type Zone = Readable<Schemas["ZoneView"]>;
export type Desk = "police" | "fire";
export type Verdict = "real" | "false" | "unsure";
export type Severity = Readable<Schemas["IncidentView"]>["severity"];

export interface Dispatch {
  desk: Desk;
  note: string;
  dispatched_by: string;
  dispatched_at: string;
  received_by: string | null;
  received_at: string | null;
  received_note: string | null;
  arrived_by: string | null;
  arrived_at: string | null;
  arrived_note: string | null;
  outcome: string | null;
  outcome_by: string | null;
  outcome_at: string | null;
}

export type Incident = Readable<Schemas["IncidentView"]> & {
  owner: string | null;
  owner_id: string | null;
  dispatched_at: string | null;
  arrived_at: string | null;
  dwell_seconds: number | null;
  category: string;
  position: Position | null;
  dispatches: Dispatch[];
  granted_cameras: string[];
};

export interface Step {
  at: string;
  by: string | null;
  action: string;
  state_after: string;
  desk: Desk | null;
  note: string;
}

export interface Counted {
  total: number;
  open: number;
}

export interface Figures {
  date: string;
  time_zone: string;
  since: string;
  cameras: { total: number; live: number; by_category: Record<string, { total: number; live: number }> };
  incidents: Counted & {
    real: number;
    false: number;
    unsure: number;
    by_family: Record<string, Counted>;
    by_category: Record<string, Counted>;
  };
  dispatches: Record<Desk, { total: number; received: number; arrived: number; open: number }>;
  seconds_to_acknowledge: { median: number; p95: number } | null;
  seconds_to_arrive: { median: number; p95: number } | null;
}

export const api = createClient<paths>({ baseUrl: "" });

export { problemText } from "./problem";
