import { useEffect } from "preact/hooks";
import { TopBar } from "../app/TopBar";
import { asProblem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { cityError, incidentsKnown, refresh } from "../city/city";
import { word, wordFor } from "../words";
import { chosen, choose, closedHere, myDesk, openHere, waitingHere } from "./desk";
import { DeskDetails } from "./DeskDetails";
import { DeskList } from "./DeskList";
import { DeskMap } from "./DeskMap";
import { DeskScene } from "./DeskScene";
import { isMuted, sound, toggleSound, watchDispatches } from "./notice";
import { say } from "./words";
import "./desk.css";

/** A liaison desk: what was dispatched to it, live, and what it reports back. */
export function Desk() {
  useEffect(watchDispatches, []);
  const desk = myDesk.value;
  return (
    <div class="desk" data-desk={desk}>
      <TopBar title={desk ? say(desk) : word("page_desk")}>
        <button type="button" class="quiet sound" aria-pressed={sound.value} data-testid="desk-sound" onClick={toggleSound}>
          <Bell isOn={sound.value && !isMuted.value} /> {say(!sound.value ? "sound_off" : isMuted.value ? "sound_muted" : "sound_on")}
        </button>
      </TopBar>
      <Notice />
      <Body />
    </div>
  );
}

/** New dispatches while another incident is open here. */
function Notice() {
  const elsewhere = waitingHere.value.filter((incident) => incident.id !== chosen.value?.id);
  const first = elsewhere[0];
  if (!first) return null;
  return (
    <div role="alert">
      <button type="button" class="desk-notice" data-testid="desk-notice" data-severity={first.severity} onClick={() => choose(first.id)}>
        <b>{elsewhere.length === 1 ? say("new_dispatch") : `${say("new_dispatches")} ${elsewhere.length}`}</b>
        <span>
          {wordFor("kind", first.kind)} · {first.camera_name}
        </span>
        <em>{say("show")}</em>
      </button>
    </div>
  );
}

function Body() {
  if (!incidentsKnown.value && cityError.value) {
    return (
      <div class="page-note">
        <ProblemNote problem={asProblem(cityError.value)} />
        <button type="button" onClick={() => void refresh()}>
          {word("try_again")}
        </button>
      </div>
    );
  }
  if (!incidentsKnown.value) return <p class="page-note">{say("loading")}</p>;
  const incident = chosen.value;
  if (!incident && openHere.value.length + closedHere.value.length === 0) return <Nothing />;
  return (
    <main class="desk-body">
      <DeskList />
      {incident ? (
        <>
          <DeskScene incident={incident} />
          <DeskDetails incident={incident} />
          <DeskMap incident={incident} />
        </>
      ) : (
        <Nothing />
      )}
    </main>
  );
}

function Nothing() {
  const isEmpty = openHere.value.length === 0;
  return (
    <div class="desk-nothing" data-testid="desk-empty">
      <h1>{say(isEmpty ? "nothing" : "choose")}</h1>
      {isEmpty && <p>{say("nothing_hint")}</p>}
    </div>
  );
}

function Bell({ isOn }: { isOn: boolean }) {
  return (
    <svg class="bell" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M4 14.5h12l-1.5-2V9a4.5 4.5 0 00-9 0v3.5zM8 17h4M10 2.5v2" />
      {!isOn && <path d="M3 3l14 14" />}
    </svg>
  );
}
