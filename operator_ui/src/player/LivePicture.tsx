import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Camera } from "../api/client";
import { word, wordFor } from "../words";
import type { HaechiPlayer, PlayerStatus } from "./haechi-player";
import "./haechi-player";

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
