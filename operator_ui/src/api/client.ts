/** The center's API with types generated from its OpenAPI document (`npm run client`). */

import createClient from "openapi-fetch";
import type { Readable } from "openapi-typescript-helpers";
import type { components, paths } from "./schema";

export type Camera = Readable<components["schemas"]["CameraView"]>;
export type Incident = Readable<components["schemas"]["IncidentView"]>;
export type Verdict = "real" | "false" | "unsure";

export const api = createClient<paths>({ baseUrl: "" });

/** What went wrong, for a person: the problem's detail, or that nobody answered. */
export function problemText(error: unknown): string {
  if (error && typeof error === "object") {
    if ("detail" in error && typeof error.detail === "string") return error.detail;
    if ("title" in error && typeof error.title === "string") return error.title;
  }
  return error instanceof Error ? error.message : String(error);
}
