import { useEffect, useRef } from "preact/hooks";
import { cameras, incidents } from "../city/city";
import { distance } from "../city/nearest";
import { LivePicture } from "../player/LivePicture";
import { clock, wordFor } from "../words";
import { closePicture, walkOn, type Picture } from "./picture";
import { watchSwipes } from "./swipe";
import { stopAt } from "./walk";
import { say } from "./words";

/** One live picture over everything. Nothing here may delay it: no animation, no code still to be loaded. */
export function Viewer({ shown }: { shown: Picture }) {
  const surface = useRef<HTMLDivElement>(null);
  const moved = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    surface.current?.focus({ preventScroll: true });
    const stop =
      surface.current && moved.current
        ? watchSwipes(surface.current, moved.current, (swipe) => (swipe === "down" ? closePicture() : walkOn(swipe === "left" ? 1 : -1)))
        : undefined;
    addEventListener("keydown", onKey);
    return () => {
      stop?.();
      removeEventListener("keydown", onKey);
      before?.focus({ preventScroll: true });
    };
  }, []);
  const stop = stopAt(cameras.value ?? [], shown.originId, shown.cameraId);
  return (
    <div class="viewer" ref={surface} role="dialog" aria-modal="true" aria-label={stop?.camera.name ?? ""} tabIndex={-1} data-testid="viewer" data-camera={shown.cameraId}>
      <div class="viewer-picture" ref={moved}>
        {stop ? (
          <LivePicture key={stop.camera.id} camera={stop.camera} reason={shown.way} incident={shown.incidentId ?? undefined} />
        ) : (
          <span class="picture-note">
            <b>{say("camera_gone")}</b>
          </span>
        )}
      </div>
      <ViewerWords shown={shown} />
      <button type="button" class="viewer-close" data-testid="viewer-close" aria-label={say("close")} onClick={closePicture}>
        ×
      </button>
      <ViewerStep steps={-1} shown={shown} />
      <ViewerStep steps={1} shown={shown} />
    </div>
  );
}

function onKey(event: KeyboardEvent): void {
  if (event.key === "Escape") closePicture();
  else if (event.key === "ArrowRight") walkOn(1);
  else if (event.key === "ArrowLeft") walkOn(-1);
  else return;
  event.preventDefault();
}

function ViewerWords({ shown }: { shown: Picture }) {
  const stop = stopAt(cameras.value ?? [], shown.originId, shown.cameraId);
  const incident = incidents.value.get(shown.incidentId ?? "");
  if (!stop) return null;
  return (
    <div class="viewer-words">
      <h2>{stop.camera.name}</h2>
      <p>
        {wordFor("category", stop.camera.category)}
        <i>
          {stop.index + 1}/{stop.count}
        </i>
        {stop.index === 0 ? say("began_here") : stop.meters !== null && `${say("from_here")} ${distance(stop.meters)}`}
      </p>
      {incident && (
        <p class="viewer-alarm" data-severity={incident.severity}>
          <b>{wordFor("kind", incident.kind)}</b> {wordFor("state", incident.state)} · {clock(incident.raised_at).slice(0, 5)}
        </p>
      )}
    </div>
  );
}

function ViewerStep({ steps, shown }: { steps: 1 | -1; shown: Picture }) {
  const next = stopAt(cameras.value ?? [], shown.originId, shown.cameraId, steps);
  if (!next || next.camera.id === shown.cameraId) return null;
  const isNext = steps === 1;
  return (
    <button
      type="button"
      class={isNext ? "viewer-step next" : "viewer-step previous"}
      data-testid={isNext ? "viewer-next" : "viewer-previous"}
      data-to={next.camera.id}
      onClick={() => walkOn(steps)}
    >
      <span aria-hidden="true">{isNext ? "›" : "‹"}</span>
      <small>
        {say(isNext ? "next" : "previous")}
        {next.meters !== null && next.meters > 0 && <> · {distance(next.meters)}</>}
        <b>{next.camera.name}</b>
      </small>
    </button>
  );
}
