/** States of cameras and workers, asked for every few seconds while a page shows them. */

import { computed, signal } from "@preact/signals";
import type { components } from "../api/schema";
import { api, type Camera } from "../api/client";
import { blindText } from "../city/blind";

export type Status = components["schemas"]["StatusView"];
export type HealthParts = Record<string, { ok: boolean; detail: string }>;

const EVERY_MS = 5_000;

export const cameras = signal<Camera[] | null>(null);
export const status = signal<Status | null>(null);
export const health = signal<HealthParts | null>(null);
export const isOld = signal(false);

const byId = computed(() => new Map((cameras.value ?? []).map((camera) => [camera.id, camera])));

export function stateOf(id: string): { state: Camera["state"] | "unknown"; reason: string; blind: string } {
  const known = byId.value.get(id);
  return known ? { state: known.state, reason: known.reason, blind: blindText(known) } : { state: "unknown", reason: "", blind: "" };
}

/** Ask now and then every few seconds; returns how to stop. */
export function followStates(): () => void {
  void askStates();
  const timer = window.setInterval(() => void askStates(), EVERY_MS);
  return () => window.clearInterval(timer);
}

export async function askStates(): Promise<void> {
  const [cameraAnswer, statusAnswer, healthAnswer] = await Promise.all([
    api.GET("/api/v1/cameras").catch(() => null),
    api.GET("/api/v1/status").catch(() => null),
    askHealth(),
  ]);
  if (cameraAnswer?.data) cameras.value = cameraAnswer.data.cameras;
  if (statusAnswer?.data) status.value = statusAnswer.data;
  if (healthAnswer) health.value = healthAnswer;
  isOld.value = !cameraAnswer?.data || !statusAnswer?.data;
}

async function askHealth(): Promise<HealthParts | null> {
  try {
    // 503 carries the same shape: it says which part fails.
    const answer = await fetch("/healthz");
    return ((await answer.json()) as { parts: HealthParts }).parts;
  } catch {
    return null;
  }
}
