import { useSignal } from "@preact/signals";
import type { Camera } from "../api/client";
import type { PlayerStatus } from "../player/haechi-player";
import "../player/haechi-player";
import { word, wordFor } from "../words";
import { cameras, openIncidents } from "./city";
import { selectCamera, selected } from "./selection";

export function Wall() {
  const all = cameras.value;
  if (all === null) return <p class="page-note">{word("loading")}</p>;
  if (all.length === 0) return <p class="page-note">{word("no_cameras")}</p>;
  const columns = Math.ceil(Math.sqrt(all.length));
  return (
    <div class="wall-room">
      <section
        class="wall"
        style={{ "--columns": String(columns), "--rows": String(Math.ceil(all.length / columns)) }}
        aria-label={word("cameras")}
      >
        {all.map((camera) => (
          <Tile key={camera.id} camera={camera} />
        ))}
      </section>
    </div>
  );
}

function Tile({ camera }: { camera: Camera }) {
  const alarm = openIncidents.value.find((incident) => incident.camera_id === camera.id && incident.state === "new");
  const isSelected = selected.value?.cameraId === camera.id;
  return (
    <button
      type="button"
      class="tile"
      data-camera={camera.id}
      data-severity={alarm?.severity}
      aria-pressed={isSelected}
      onClick={() => selectCamera(camera.id)}
    >
      <LivePicture cameraId={camera.id} stream="sub" cameraState={camera.state} />
      <span class="tile-name">{camera.name}</span>
      {alarm && <span class="tile-alarm">{wordFor("kind", alarm.kind)}</span>}
    </button>
  );
}

interface LivePictureProps {
  cameraId: string;
  stream: "main" | "sub";
  cameraState: Camera["state"];
}

/** A player with what it has to say about itself laid over it while no picture moves. */
export function LivePicture({ cameraId, stream, cameraState }: LivePictureProps) {
  const status = useSignal<PlayerStatus>({ state: "connecting", reason: "", firstPictureMs: null });
  const { state, reason } = status.value;
  return (
    <>
      <haechi-player
        camera={cameraId}
        stream={stream}
        onstate={(event: CustomEvent<PlayerStatus>) => {
          status.value = event.detail;
        }}
      />
      {state !== "playing" && (
        <span class="picture-note" title={reason}>
          <b>
            {state === "connecting" ? word("picture_connecting") : word("picture_waiting")}
            {cameraState !== "live" && <> · {wordFor("camera", cameraState)}</>}
          </b>
          {reason && <small>{reason}</small>}
        </span>
      )}
    </>
  );
}
