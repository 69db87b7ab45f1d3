/** The camera register as the center has it, and what an administrator does to it. */

import { computed, signal } from "@preact/signals";
import type { components } from "../../api/schema";
import type { Readable } from "openapi-typescript-helpers";
import { api } from "../../api/client";
import { asProblem, problemText } from "../../api/problem";
import { cameraOf, type CameraDraft } from "./draft";
import { account as signedIn } from "../../session/session";
import { stateOf } from "../states";
import type { Fault } from "./faults";

export type RegisteredCamera = Readable<components["schemas"]["RegisteredCameraView"]>;
export type ImportResult = components["schemas"]["ImportView"];

export const register = signal<RegisteredCamera[] | null>(null);
export const loadError = signal("");

export interface Search {
  text: string;
  category: string;
  state: string;
}
export const search = signal<Search>({ text: "", category: "", state: "" });

signedIn.subscribe((person) => {
  if (!person) register.value = null;
});

export const found = computed(() => (register.value ?? []).filter(fits));

function fits(camera: RegisteredCamera): boolean {
  const { text, category, state } = search.value;
  const haystack = `${camera.id} ${camera.name} ${camera.purpose} ${camera.main}`.toLowerCase();
  if (!text.toLowerCase().split(/\s+/).every((word) => haystack.includes(word))) return false;
  if (category && camera.category !== category) return false;
  return !state || stateOf(camera.id).state === state;
}

export async function loadRegister(): Promise<void> {
  try {
    const { data, error } = await api.GET("/api/v1/register");
    if (data) register.value = data.cameras;
    loadError.value = data ? "" : problemText(error);
  } catch (error) {
    loadError.value = problemText(error);
  }
}

export interface Refused {
  detail: string;
  faults: Fault[];
}

/** Adds the camera, or changes the one there is; returns what was wrong, or null. */
export async function save(draft: CameraDraft, isNew: boolean): Promise<Refused | null> {
  const camera = cameraOf(draft);
  return attempt(() =>
    isNew
      ? api.POST("/api/v1/register/cameras", { body: camera })
      : api.PUT("/api/v1/register/cameras/{camera_id}", { params: { path: { camera_id: draft.id } }, body: camera }),
  );
}

export async function remove(id: string): Promise<Refused | null> {
  return attempt(() => api.DELETE("/api/v1/register/cameras/{camera_id}", { params: { path: { camera_id: id } } }));
}

/** What an import would do, or (not dry) did. */
export async function importYaml(yaml: string, dryRun: boolean): Promise<ImportResult | Refused> {
  let result: ImportResult | undefined;
  const refused = await attempt(async () => {
    const answer = await api.POST("/api/v1/register/import", { body: { yaml, dry_run: dryRun } });
    result = answer.data;
    return answer;
  });
  return refused ?? result!;
}

async function attempt(act: () => Promise<{ error?: unknown }>): Promise<Refused | null> {
  try {
    const { error } = await act();
    if (error === undefined) {
      await loadRegister();
      return null;
    }
    const { kind, detail, errors } = asProblem(error);
    const taken = kind === "camera-exists" ? [{ field: "id", message: detail }] : [];
    return { detail: problemText(error), faults: [...errors, ...taken] };
  } catch (error) {
    return { detail: problemText(error), faults: [] };
  }
}
