import { word, wordFor } from "../words";
import { AlarmActions, AlarmFacts } from "./AlarmRail";
import { cameras, incidents } from "../city/city";
import { clearSelection, selected } from "./selection";
import { LivePicture } from "../player/LivePicture";

/** The chosen camera large, live, with the alarm that led there. */
export function Stage() {
  const selection = selected.value;
  const camera = cameras.value?.find((each) => each.id === selection?.cameraId);
  if (!selection || !camera) return null;
  const incident = incidents.value.get(selection.incidentId ?? "");
  return (
    <section class="stage" aria-label={camera.name}>
      <div class="stage-picture" data-camera={camera.id}>
        <LivePicture key={camera.id} camera={camera} stream="main" />
      </div>
      <div class="stage-bar">
        <button type="button" class="back" onClick={clearSelection}>
          ← {word("back_to_wall")} <kbd>Esc</kbd>
        </button>
        <div class="stage-title">
          <h2>{camera.name}</h2>
          <small>
            {camera.id} · {wordFor("camera", camera.state)}
          </small>
        </div>
        {incident && (
          <div class="stage-alarm" data-severity={incident.severity}>
            <AlarmFacts incident={incident} />
            <AlarmActions incident={incident} />
          </div>
        )}
      </div>
    </section>
  );
}
