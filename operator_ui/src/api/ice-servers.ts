/** TURN servers of this installation, known before a picture is asked for: an offer cannot learn of them afterwards. */

import { api } from "./client";

interface Known {
  servers: RTCIceServer[];
  /** Date.now() after which they are asked for anew; half of their time is left then. */
  until: number;
}

const AGAIN_AFTER_MS = 60_000;
let known: Known = { servers: [], until: 0 };
let asking: Promise<RTCIceServer[]> | null = null;

/** Those known now, without waiting; new ones are fetched behind it when these have grown old. */
export function iceServers(): RTCIceServer[] {
  if (Date.now() >= known.until) void freshIceServers();
  return known.servers;
}

/** Those that are good now. Without an answer of the center: the last known. */
export function freshIceServers(): Promise<RTCIceServer[]> {
  if (Date.now() < known.until) return Promise.resolve(known.servers);
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

async function ask(): Promise<RTCIceServer[]> {
  const { data } = await api.GET("/api/v1/ice-servers").catch(() => ({ data: undefined }));
  if (data) known = { servers: data.ice_servers, until: Date.now() + (Date.parse(data.expires_at) - Date.now()) / 2 };
  else known = { ...known, until: Date.now() + AGAIN_AFTER_MS };
  return known.servers;
}
