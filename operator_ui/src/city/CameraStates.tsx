import { useSignal } from "@preact/signals";
import type { Camera } from "../api/client";
import { clock, dayAndTime, wordFor } from "../words";
import { blindText } from "./blind";
import { filtered, FILTERS, type Filter } from "./camera-states";
import { reasonText } from "./reasons";
import { say } from "./state-words";

interface CameraStatesProps {
  cameras: readonly Camera[];
  onChoose?: (camera: Camera) => void;
}

/** Every camera with its streams: how they are, why, since when, when they are tried next. Those in trouble first. */
export function CameraStates({ cameras, onChoose }: CameraStatesProps) {
  const filter = useSignal<Filter>("trouble");
  const text = useSignal("");
  const shown = filtered(cameras, filter.value, text.value);
  return (
    <div class="camera-states" data-testid="camera-states">
      <div class="camera-states-bar">
        <select value={filter.value} aria-label={say("show")} data-testid="state-filter" onChange={(event) => (filter.value = event.currentTarget.value as Filter)}>
          {FILTERS.map((one) => (
            <option key={one} value={one}>
              {say(one)} ({filtered(cameras, one, "").length})
            </option>
          ))}
        </select>
        <input type="search" value={text.value} placeholder={say("find")} aria-label={say("find")} onInput={(event) => (text.value = event.currentTarget.value)} />
      </div>
      {shown.length === 0 && <p class="quiet-note">{say("none")}</p>}
      <ul>
        {shown.map((camera) => (
          <CameraState key={camera.id} camera={camera} onChoose={onChoose} />
        ))}
      </ul>
    </div>
  );
}

function CameraState({ camera, onChoose }: { camera: Camera; onChoose: ((camera: Camera) => void) | undefined }) {
  const blind = blindText(camera);
  const recording = camera.recording;
  return (
    <li data-camera={camera.id} data-state={camera.state}>
      <b>
        {onChoose ? (
          <button type="button" class="quiet" onClick={() => onChoose(camera)}>
            {camera.name}
          </button>
        ) : (
          camera.name
        )}
        <small>{camera.id}</small>
      </b>
      {blind && <span class="state-trouble">{blind}</span>}
      {camera.streams.map((stream) => (
        <StreamState key={stream.name} stream={stream} />
      ))}
      {recording?.state === "failing" && (
        <span class="state-trouble" data-testid="recording-failing">
          {say("recording_failing")} <small>{recording.reason}</small>
        </span>
      )}
    </li>
  );
}

function StreamState({ stream }: { stream: Camera["streams"][number] }) {
  const { name, state, reason, since, next_attempt_at: next } = stream;
  return (
    <span class="stream-state" data-stream={name} data-state={state}>
      <i aria-hidden="true" />
      <span>
        {say(name)} · {wordFor("camera", state)}
        {since && (
          <small>
            {" "}
            {say("since")} {dayAndTime(since)}
          </small>
        )}
        {next && (
          <small data-testid="next-try">
            {" "}
            · {say("next")} {clock(next)}
          </small>
        )}
      </span>
      {reason && <small title={reason}>{reasonText(reason)}</small>}
    </span>
  );
}
