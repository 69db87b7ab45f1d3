import { useEffect } from "preact/hooks";
import { clock, dayAndTime, wordFor } from "../words";
import type { Camera } from "../api/client";
import { blindText } from "../city/blind";
import { reasonText } from "../city/reasons";
import { say as sayState } from "../city/state-words";
import { cameras, followStates, health, isOld, status } from "./states";
import { say } from "./words";

/** What the center and its workers say of themselves: parts, workers, cameras that are not live, with reasons. */
export function Health() {
  useEffect(() => followStates(), []);
  if (status.value === null && cameras.value === null && !isOld.value) return <p class="page-note">{say("loading")}</p>;
  return (
    <section class="admin-section health" data-testid="health" data-old={isOld.value}>
      <p class="quiet-text">{say("health_intro")}</p>
      {isOld.value && (
        <p class="admin-failed" role="alert">
          {say("health_failed")}
        </p>
      )}
      <Parts />
      <Workers />
      <Cameras />
    </section>
  );
}

function Parts() {
  if (health.value === null) return null;
  return (
    <>
      <h2>{say("parts")}</h2>
      <ul class="admin-list">
        {Object.entries(health.value).map(([name, part]) => (
          <li key={name} class="health-row" data-part={name} data-ok={part.ok}>
            <b>
              <i aria-hidden="true" />
              {partName(name)}
            </b>
            <span>{say(part.ok ? "part_ok" : "part_failing")}</span>
            <small>{part.ok ? "" : part.detail}</small>
          </li>
        ))}
      </ul>
    </>
  );
}

function partName(name: string): string {
  return (say(`part_${name}` as Parameters<typeof say>[0]) as string | undefined) ?? name;
}

function Workers() {
  const workers = Object.entries(status.value?.workers.by_id ?? {});
  return (
    <>
      <h2>{say("workers")}</h2>
      {workers.length === 0 && <p class="quiet-text">{say("no_workers")}</p>}
      <ul class="admin-list">
        {workers.map(([id, worker]) => (
          <li key={id} class="health-row" data-worker={id} data-ok={worker.answering}>
            <b>
              <i aria-hidden="true" />
              {say("worker")} {id}
            </b>
            <span>
              {say(worker.answering ? "worker_answering" : "worker_silent")} · {say("worker_cameras")} {worker.cameras}
            </span>
            <small>{heard(worker.seconds_since_heartbeat)}</small>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Since when its worst stream is as it is, and when that is tried next. */
function timesText(camera: Camera): string {
  const stream = camera.streams.find((one) => one.state === camera.state);
  if (camera.state === "live" || !stream?.since) return "";
  const next = stream.next_attempt_at ? `, ${sayState("next")} ${clock(stream.next_attempt_at)}` : "";
  return `${sayState("since")} ${dayAndTime(stream.since)}${next}`;
}

function heard(seconds: number | null): string {
  return seconds === null ? say("worker_never") : `${say("worker_heard")} ${seconds.toFixed(0)} ${say("worker_seconds_ago")}`;
}

function Cameras() {
  const all = cameras.value ?? [];
  const notLive = all.filter((camera) => camera.state !== "live" || camera.blind);
  return (
    <>
      <h2>
        {say("cameras_live")}{" "}
        <b data-testid="health-live">
          {all.length - notLive.length}/{all.length}
        </b>
      </h2>
      {all.length > 0 && notLive.length === 0 && <p class="quiet-text">{say("all_live")}</p>}
      <ul class="admin-list" aria-label={say("not_live")}>
        {notLive.map((camera) => (
          <li key={camera.id} class="health-row" data-camera={camera.id} data-ok={camera.state === "disabled" ? "off" : camera.state === "connecting" && !camera.blind ? "soon" : false}>
            <b>
              <i aria-hidden="true" />
              {camera.name}
            </b>
            <span>{wordFor("camera", camera.state)}</span>
            <small data-blind={camera.blind_reason ?? undefined}>{[blindText(camera), reasonText(camera.reason), timesText(camera)].filter(Boolean).join(" · ")}</small>
          </li>
        ))}
      </ul>
    </>
  );
}
