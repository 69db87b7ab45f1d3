import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { followLink } from "../app/route";
import { cameraOf, cameras } from "../city/city";
import { distance, nearest } from "../city/nearest";
import type { PlayerStatus } from "../player/haechi-player";
import { playbackOf } from "../playback/link";
import { LivePicture } from "../player/LivePicture";
import { word, wordFor } from "../words";
import { clearSelection, lookAlso, selected, selectedIncident } from "./selection";
import { say } from "./words";

const NEAR = 5;
/** The outer ring of a net. A camera beyond it is named, and shown when somebody touches it: a view needs a reason. */
const NET_METERS = 1_000;

const near = computed(() => {
  const incident = selectedIncident.value;
  // The net is cast around the alarm, and stays while the operator looks through it.
  const center = cameraOf(incident?.camera_id ?? selected.value?.cameraId ?? "");
  return { center, list: center ? nearest(cameras.value ?? [], center, NEAR) : [] };
});

/** The net waits until the large picture plays, or has had its chance: it was asked for, and comes first. */
const netIsCast = signal(false);
const NET_WAITS_MS = 1_500;

/** The chosen camera large and live, with the nearest cameras beside it (cast-net, 투망감시). */
export function Stage() {
  const selection = selected.value;
  useEffect(() => {
    const timer = window.setTimeout(() => (netIsCast.value = true), NET_WAITS_MS);
    return () => {
      window.clearTimeout(timer);
      netIsCast.value = false;
    };
  }, []);
  // On a phone the page scrolls: the picture that was asked for is at its top.
  useEffect(() => scrollTo(0, 0), [selection?.cameraId, selection?.incidentId]);
  if (!selection) return null;
  const camera = cameraOf(selection.cameraId);
  const incident = selectedIncident.value;
  return (
    <section class="stage" aria-label={camera?.name ?? selection.cameraId}>
      <div class="stage-bar">
        <button type="button" class="back" onClick={clearSelection}>
          ← <span>{word("back_to_wall")}</span> <kbd>Esc</kbd>
        </button>
        <div class="stage-title">
          <h2>{camera?.name ?? selection.cameraId}</h2>
          {camera && (
            <small>
              {camera.id} · {wordFor("category", camera.category)} · {wordFor("camera", camera.state)}
            </small>
          )}
        </div>
        {incident && incident.camera_id !== selection.cameraId && (
          <button type="button" class="to-alarm" onClick={() => lookAlso(incident.camera_id)}>
            {say("to_alarm_camera")}
          </button>
        )}
        <a class="button to-recordings" data-testid="to-recordings" href={playbackOf(selection.cameraId, incident)} onClick={followLink}>
          {say(incident ? "look_back" : "recordings")}
        </a>
      </div>
      <div class="stage-picture" data-camera={selection.cameraId} data-severity={incident?.severity}>
        {camera ? (
          <LivePicture key={camera.id} camera={camera} reason={incident ? "alarm" : "touch"} incident={incident?.id} onStatus={castNet} />
        ) : (
          <p class="page-note">{cameras.value === null ? word("loading") : say("camera_gone")}</p>
        )}
      </div>
      <Net />
    </section>
  );
}

function castNet(status: PlayerStatus): void {
  if (status.state !== "connecting") netIsCast.value = true;
}

function Net() {
  const { center, list } = near.value;
  const incident = selectedIncident.value;
  return (
    <div class="net" data-testid="net">
      <h3>{say("nearest")}</h3>
      {list.length === 0 ? (
        <p class="net-none">{say(center?.position ? "nearest_none" : "no_position")}</p>
      ) : (
        <div class="net-tiles">
          {list.map(({ camera, meters }) => (
            <div key={camera.id} class="tile near" data-camera={camera.id} onClick={() => lookAlso(camera.id)}>
              {meters > NET_METERS ? (
                <span class="picture-note">{say("far")}</span>
              ) : (
                netIsCast.value && (
                  <LivePicture camera={camera} reason={incident ? "alarm" : "touch"} incident={incident?.id} whileVisible />
                )
              )}
              <button
                type="button"
                class="tile-name"
                aria-pressed={selected.value?.cameraId === camera.id}
                aria-label={`${camera.name}, ${distance(meters)}`}
              >
                {camera.name}
              </button>
              <span class="tile-distance">{distance(meters)}</span>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
