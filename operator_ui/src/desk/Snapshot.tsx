import { useSignal } from "@preact/signals";
import type { Incident } from "../api/client";
import { word, wordFor } from "../words";
import { say } from "./words";

/** The picture of the alarm with a box around what was seen. */
export function Snapshot({ incident }: { incident: Incident }) {
  const isMissing = useSignal(false);
  if (!incident.snapshot_url || isMissing.value) return <p class="no-snapshot-note">{say("no_picture")}</p>;
  const [x1, y1, x2, y2] = incident.box.map((part) => part * 100) as [number, number, number, number];
  return (
    <figure class="snapshot" data-severity={incident.severity}>
      <img src={incident.snapshot_url} alt={word("snapshot_of")} onError={() => (isMissing.value = true)} />
      <span class="snapshot-box" style={{ left: `${x1}%`, top: `${y1}%`, width: `${x2 - x1}%`, height: `${y2 - y1}%` }}>
        {y1 > 12 && <b>{wordFor("kind", incident.kind)}</b>}
      </span>
    </figure>
  );
}
