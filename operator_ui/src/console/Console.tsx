import { useEffect } from "preact/hooks";
import { TopBar } from "../app/TopBar";
import { word } from "../words";
import { AlarmRail } from "./AlarmRail";
import { cameras, openIncidents } from "../city/city";
import { Stage } from "./Stage";
import { clearSelection, selected } from "./selection";
import { Wall } from "./Wall";

export function Console() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") clearSelection();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  return (
    <div class="console">
      <TopBar title={word("page_console")}>
        <Figures />
      </TopBar>
      <main class={selected.value ? "watch with-stage" : "watch"}>
        {selected.value && <Stage />}
        <Wall />
      </main>
      <AlarmRail />
    </div>
  );
}

function Figures() {
  const all = cameras.value ?? [];
  const live = all.filter((camera) => camera.state === "live").length;
  return (
    <>
      <span class={live === all.length ? "figure good" : "figure bad"} data-testid="live-count">
        <b>
          {live}/{all.length}
        </b>{" "}
        {word("cameras")} {word("live")}
      </span>
      <span class="figure" data-testid="open-count">
        <b>{openIncidents.value.length}</b> {word("open_alarms")}
      </span>
    </>
  );
}
