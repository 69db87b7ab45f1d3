import { useSignal } from "@preact/signals";
import { wordFor } from "../../words";
import { reasonText } from "../../city/reasons";
import { Confirm } from "../Confirm";
import { stateOf } from "../states";
import { remove, type RegisteredCamera } from "./register";
import { say } from "./words";

export function CameraRow({ camera, onEdit }: { camera: RegisteredCamera; onEdit: () => void }) {
  const asks = useSignal(false);
  const error = useSignal("");
  const { state, reason, blind } = stateOf(camera.id);
  const removeIt = async (): Promise<void> => {
    asks.value = false;
    error.value = (await remove(camera.id))?.detail ?? "";
  };
  return (
    <li class="camera-row" data-camera={camera.id} data-state={state}>
      <span class="camera-state">
        <i aria-hidden="true" />
        {state === "unknown" ? say("state_unknown") : wordFor("camera", state)}
      </span>
      <span class="camera-name">
        <b>{camera.name}</b>
        <small>{camera.id}</small>
      </span>
      <span class="camera-what">
        {wordFor("category", camera.category)}
        <small>
          {zonesText(camera)}
          {!camera.record && ` · ${say("not_recorded")}`}
        </small>
      </span>
      <span class="camera-purpose">
        {camera.purpose}
        {blind && <small class="camera-reason" data-testid="blind">{blind}</small>}
        {reason && state !== "live" && <small class="camera-reason" title={reason}>{reasonText(reason)}</small>}
      </span>
      <span class="camera-buttons">
        <button type="button" data-testid="edit-camera" onClick={onEdit}>
          {say("edit")}
        </button>
        <button type="button" data-testid="remove-camera" onClick={() => (asks.value = true)}>
          {say("remove")}
        </button>
      </span>
      {error.value && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
      {asks.value && (
        <Confirm title={say("remove_title")} action={say("remove")} danger onYes={() => void removeIt()} onNo={() => (asks.value = false)}>
          <p>
            <b>{camera.name}</b> <small>{camera.id}</small>
          </p>
          <p>{say("remove_text")}</p>
        </Confirm>
      )}
    </li>
  );
}

function zonesText(camera: RegisteredCamera): string {
  const kinds = new Set(camera.zones.flatMap((zone) => zone.rules.map((rule) => rule.kind)));
  const count = camera.zones.length;
  if (count === 0) return say("zones_none");
  return [...kinds].map((kind) => wordFor("kind", kind)).join(", ");
}
