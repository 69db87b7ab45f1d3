import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Camera } from "../api/client";
import type { HaechiPlayer, PlayerStatus } from "../player/haechi-player";
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
      <LivePicture camera={camera} stream="sub" />
      <span class="tile-name">{camera.name}</span>
      {alarm && <span class="tile-alarm">{wordFor("kind", alarm.kind)}</span>}
    </button>
  );
}

interface LivePictureProps {
  camera: Camera;
  stream: "main" | "sub";
}

/** A player with what there is to say laid over it while no picture moves. */
export function LivePicture({ camera, stream }: LivePictureProps) {
  const status = useSignal<PlayerStatus>({ state: "connecting", reason: "", firstPictureMs: null });
  const player = useRef<HaechiPlayer>(null);
  const { state } = status.value;
  useEffect(() => {
    if (camera.state === "live") player.current?.retryNow();
  }, [camera.state]);
  const reason = camera.state === "live" ? status.value.reason : camera.reason;
  return (
    <>
      <haechi-player
        ref={player}
        camera={camera.id}
        stream={stream}
        onstate={(event: CustomEvent<PlayerStatus>) => {
          status.value = event.detail;
        }}
      />
      {state !== "playing" && (
        <span class="picture-note" title={reason}>
          <b>
            {word(state === "connecting" ? "picture_connecting" : "picture_waiting")}
            {camera.state !== "live" && <> · {wordFor("camera", camera.state)}</>}
          </b>
          {reason && <small>{reason}</small>}
        </span>
      )}
    </>
  );
}
