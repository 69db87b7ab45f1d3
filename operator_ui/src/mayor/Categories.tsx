import type { Camera } from "../api/client";
import { cameras, openAlarms } from "../city/city";
import { byName } from "../map/geo";
import { word, wordFor } from "../words";
import { CATEGORIES, CategoryIcon } from "./icons";
import { category, openPicture } from "./picture";
import { say } from "./words";

/** The nine categories, or the cameras of the one that was touched. */
export function Categories() {
  const chosen = category.value;
  if (chosen) return <CamerasOf chosen={chosen} />;
  return (
    <nav class="categories" aria-label={say("categories")} data-testid="categories">
      {CATEGORIES.map((each) => (
        <CategoryTile key={each} id={each} />
      ))}
    </nav>
  );
}

function camerasOf(id: string): Camera[] {
  return (cameras.value ?? []).filter((camera) => camera.category === id);
}

function CategoryTile({ id }: { id: string }) {
  const own = camerasOf(id);
  const ids = new Set(own.map((camera) => camera.id));
  const live = own.filter((camera) => camera.state === "live").length;
  const open = openAlarms.value.filter((incident) => ids.has(incident.camera_id)).length;
  return (
    <button type="button" class="category" data-category={id} data-empty={own.length === 0} data-alarms={open} onClick={() => (category.value = id)}>
      <CategoryIcon category={id} />
      <span class="category-name">{wordFor("category", id)}</span>
      <span class={live < own.length ? "category-live some" : "category-live"}>
        <b>{live}</b>/{own.length}
      </span>
      {open > 0 && (
        <span class="category-alarms" aria-label={`${say("alarms")} ${open}`}>
          {open}
        </span>
      )}
    </button>
  );
}

function CamerasOf({ chosen }: { chosen: string }) {
  const own = camerasOf(chosen).sort(byName);
  return (
    <section class="category-cameras" data-testid="category-cameras" aria-label={wordFor("category", chosen)}>
      <header>
        <button type="button" class="back" data-testid="all-categories" onClick={() => (category.value = null)}>
          ← {say("all_categories")}
        </button>
        <h2>
          <CategoryIcon category={chosen} />
          {wordFor("category", chosen)}
        </h2>
        <small>{own.length ? say("touch_hint") : say("no_cameras_here")}</small>
      </header>
      <div class="camera-targets">
        {own.map((camera) => (
          <CameraTarget key={camera.id} camera={camera} />
        ))}
      </div>
    </section>
  );
}

function CameraTarget({ camera }: { camera: Camera }) {
  const alarm = openAlarms.value.find((incident) => incident.camera_id === camera.id);
  return (
    <button
      type="button"
      class="camera-target"
      data-camera={camera.id}
      data-state={camera.state}
      data-severity={alarm?.severity}
      onClick={() => openPicture(camera.id, alarm ? "alarm" : "touch")}
    >
      <span>{camera.name}</span>
      <small>{alarm ? `${wordFor("kind", alarm.kind)} · ${wordFor("state", alarm.state)}` : camera.state === "live" ? word("live") : wordFor("camera", camera.state)}</small>
    </button>
  );
}
