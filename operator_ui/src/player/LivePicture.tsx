import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Camera } from "../api/client";
import { reasonText } from "../city/reasons";
import { problemWords } from "../api/problem";
import { followLink } from "../app/route";
import { word, wordFor } from "../words";
import { AT_FIRST, type HaechiPlayer, type PlayerStatus } from "./haechi-player";

interface LivePictureProps {
  camera: Pick<Camera, "id" | "state" | "reason">;
  /** Asked for at any size; else the size decides. */
  stream?: "main" | "sub" | undefined;
  /** Why it is looked at, for the ledger: wall, alarm, touch, map, desk. */
  reason?: string | undefined;
  /** The incident it is looked at for. */
  incident?: string | undefined;
  /** Play only while it can be seen, as in a wall that scrolls. */
  whileVisible?: boolean | undefined;
  /** How the player is doing, at each change. */
  onStatus?: ((status: PlayerStatus) => void) | undefined;
}

/** A player with what there is to say laid over it while no picture moves. Its place must be positioned. */
export function LivePicture({ camera, stream, reason, incident, whileVisible, onStatus }: LivePictureProps) {
  const status = useSignal<PlayerStatus>(AT_FIRST);
  const player = useRef<HaechiPlayer>(null);
  useEffect(() => {
    if (camera.state === "live") player.current?.retryNow();
  }, [camera.state]);
  return (
    <>
      <haechi-player
        ref={player}
        camera={camera.id}
        stream={stream}
        reason={reason}
        incident={incident}
        while-visible={whileVisible ? "" : undefined}
        onstate={(event: CustomEvent<PlayerStatus>) => {
          status.value = event.detail;
          onStatus?.(event.detail);
        }}
      />
      {status.value.state === "playing" ? (
        <PaceNote status={status.value} />
      ) : (
        !status.value.hasOldPicture && <PictureNote camera={camera} status={status.value} />
      )}
    </>
  );
}

const HEADINGS = {
  connecting: "picture_connecting",
  waiting: "picture_waiting",
  refused: "picture_refused",
  paused: "picture_paused",
  playing: "live",
} as const;

/** That a picture is not what happens now; nothing while it is. */
function PaceNote({ status: { pace, lagSeconds } }: { status: PlayerStatus }) {
  if (pace === "live") return null;
  return (
    <span class="picture-pace" role="status" data-pace={pace}>
      {pace === "behind" ? `${word("picture_behind")} ${lagSeconds} s` : word(pace === "slow" ? "picture_slow" : "picture_still")}
    </span>
  );
}

function PictureNote({ camera, status }: { camera: LivePictureProps["camera"]; status: PlayerStatus }) {
  // Of a center that does not answer the page tells once, above.
  const own =
    status.kind === "no-answer"
      ? word("trying_again")
      : status.kind && problemWords({ kind: status.kind, detail: status.reason, errors: [] });
  const why = camera.state === "live" || status.state === "refused" ? own : reasonText(camera.reason);
  return (
    <span class="picture-note" title={[why, status.reason].join("\n").trim()} data-picture={status.state}>
      <b>
        {word(HEADINGS[status.state])}
        {camera.state !== "live" && status.state !== "refused" && <> · {wordFor("camera", camera.state)}</>}
      </b>
      {why && <small>{why}</small>}
      {(status.state === "waiting" || status.state === "refused") && status.kind !== "no-answer" && (
        <a
          class="picture-doctor"
          href={`/doctor?camera=${encodeURIComponent(camera.id)}`}
          onClick={(event) => {
            event.stopPropagation(); // the tile would open the picture large
            followLink(event);
          }}
        >
          {word("page_doctor")}
        </a>
      )}
    </span>
  );
}
