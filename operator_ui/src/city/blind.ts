/** What to say of a camera whose rules see nothing. */

import type { Camera } from "../api/client";
import { dayAndTime, word, wordFor } from "../words";

export function blindText(camera: Pick<Camera, "blind_reason" | "blind_since">): string {
  if (!camera.blind_reason) return "";
  const since = camera.blind_since ? ` (${word("blind_since")} ${dayAndTime(camera.blind_since)})` : "";
  return wordFor("blind", camera.blind_reason) + since;
}
