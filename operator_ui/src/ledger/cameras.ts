/** Names of the cameras, for rows and for the filter. A camera that was removed keeps its id. */

import { signal } from "@preact/signals";
import { api } from "../api/client";

export const cameraNames = signal<ReadonlyMap<string, string>>(new Map());

export async function loadCameraNames(): Promise<void> {
  const answer = await api.GET("/api/v1/cameras").catch(() => null);
  if (answer?.data) cameraNames.value = new Map(answer.data.cameras.map((camera) => [camera.id, camera.name]));
}
