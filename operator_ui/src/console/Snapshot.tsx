import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Incident } from "../api/client";
import { cameraOf, offline } from "../city/city";
import { say } from "./words";

/** The alarm's picture with the zone and what was found drawn over it; both are fractions of the picture. */
export function Snapshot({ incident }: { incident: Incident }) {
  const failed = useSignal(false);
  useEffect(() => {
    if (!offline.value) failed.value = false;
  }, [offline.value]);
  const zone = cameraOf(incident.camera_id)?.zones.find((each) => each.name === incident.zone);
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = incident.box;
  if (!incident.snapshot_url || failed.value) {
    return <p class="snapshot-none">{say(failed.value ? "snapshot_failed" : "no_snapshot")}</p>;
  }
  return (
    <figure class="snapshot" data-testid="snapshot">
      <img src={incident.snapshot_url} alt={say("snapshot_of")} onError={() => (failed.value = true)} />
      {incident.family === "fault" && <figcaption>{say("last_picture")}</figcaption>}
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {zone && <polygon class="snapshot-zone" points={zone.polygon.map((point) => point.join(",")).join(" ")} />}
        {incident.family !== "fault" && (
          <>
            <rect class="snapshot-box-under" x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
            <rect class="snapshot-box" x={x1} y={y1} width={x2 - x1} height={y2 - y1} />
          </>
        )}
      </svg>
    </figure>
  );
}
