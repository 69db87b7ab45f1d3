import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Dialog } from "../app/Dialog";
import { TopBar } from "../app/TopBar";
import { CameraStates } from "../city/CameraStates";
import { cameras, openIncidents } from "../city/city";
import { say as sayState } from "../city/state-words";
import { word } from "../words";
import { AlarmRail } from "./AlarmRail";
import { watchArrivals } from "./arrivals";
import { CameraSearch } from "./CameraSearch";
import { clearForgotten, listenToKeys } from "./commands";
import { Help } from "./Help";
import { ReasonCard } from "./ReasonCard";
import { overlay, selectCamera, selected, selectedIncident } from "./selection";
import { Stage } from "./Stage";
import { Wall } from "./Wall";
import { say } from "./words";
import "./console.css";

/** The operators' page: alarms, the wall of live cameras, one of them large, and the reason for an alarm. */
export function Console() {
  const tab = useSignal<"alarms" | "wall">("alarms");
  useEffect(watchArrivals, []);
  useEffect(listenToKeys, []);
  useEffect(() => clearForgotten, []);
  const isLarge = selected.value !== null;
  return (
    <div class="console" data-tab={tab.value} data-large={isLarge} data-card={selectedIncident.value !== null}>
      <TopBar title={word("page_console")}>
        <Figures />
      </TopBar>
      <main class="watch">{isLarge ? <Stage /> : <Wall />}</main>
      {selectedIncident.value && <ReasonCard key={selectedIncident.value.id} incident={selectedIncident.value} />}
      <AlarmRail />
      <nav class="tabs" aria-label={word("page_console")}>
        {(["alarms", "wall"] as const).map((name) => (
          <button key={name} type="button" aria-pressed={tab.value === name} onClick={() => (tab.value = name)}>
            {say(`tab_${name}`)}
            {name === "alarms" && <b>{openIncidents.value.length}</b>}
          </button>
        ))}
      </nav>
      {overlay.value === "search" && <CameraSearch />}
      {overlay.value === "help" && <Help />}
      {overlay.value === "cameras" && (
        <Dialog title={sayState("title")} class="states" onClose={() => (overlay.value = null)}>
          <CameraStates
            cameras={cameras.value ?? []}
            onChoose={(camera) => {
              overlay.value = null;
              selectCamera(camera.id);
            }}
          />
        </Dialog>
      )}
    </div>
  );
}

function Figures() {
  const all = cameras.value ?? [];
  const live = all.filter((camera) => camera.state === "live").length;
  return (
    <>
      <button
        type="button"
        class={live === all.length ? "figure quiet good" : "figure quiet bad"}
        data-testid="live-count"
        title={sayState("title")}
        onClick={() => (overlay.value = "cameras")}
      >
        <b>
          {live}/{all.length}
        </b>
        {say("cameras_live")}
      </button>
      <span class="figure" data-testid="open-count">
        <b>{openIncidents.value.length}</b>
        {say("alarms_open")}
      </span>
      <span class="bar-buttons">
        <button type="button" data-testid="open-search" aria-keyshortcuts="/" onClick={() => (overlay.value = "search")}>
          {say("search")} <kbd>/</kbd>
        </button>
        <button type="button" class="quiet" data-testid="open-help" aria-keyshortcuts="?" title={say("help")} aria-label={say("help")} onClick={() => (overlay.value = "help")}>
          <kbd>?</kbd>
        </button>
      </span>
    </>
  );
}
