import { useSignal } from "@preact/signals";
import { asProblem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { cityError, closedIncidents, incidentsKnown, openIncidents, refresh } from "../city/city";
import { account } from "../session/session";
import { word, wordFor } from "../words";
import { AlarmCard } from "./AlarmCard";
import { FILTERS, isMine, urgentFirst, type Filter } from "./alarms";
import { lastArrived } from "./arrivals";
import { prefer, preferences } from "./preferences";
import { ring, wakeSound } from "./sound";
import { say } from "./words";

const EMPTY = { open: () => word("no_open_alarms"), mine: () => say("none_mine"), closed: () => word("no_closed_alarms") };

/** The alarms: what needs somebody first. */
export function AlarmRail() {
  const filter = useSignal<Filter>("open");
  const mine = openIncidents.value.filter((incident) => isMine(incident, account.value?.account_id ?? ""));
  const list = { open: urgentFirst(openIncidents.value), mine: urgentFirst(mine), closed: closedIncidents.value }[filter.value];
  const counts: Record<Filter, number | null> = { open: openIncidents.value.length, mine: mine.length, closed: null };
  return (
    <aside class="rail" aria-label={word("alarms")}>
      <div class="rail-head">
        <div class="rail-tabs" role="group" aria-label={word("alarms")}>
          {FILTERS.map((each) => (
            <button key={each} type="button" data-filter={each} aria-pressed={filter.value === each} onClick={() => (filter.value = each)}>
              {say(`filter_${each}`)} {counts[each] !== null && <b>{counts[each]}</b>}
            </button>
          ))}
        </div>
        <SoundSwitch />
      </div>
      <p class="only-heard" aria-live="polite">
        {lastArrived.value && `${say("new_alarm")} ${wordFor("kind", lastArrived.value.kind)}, ${lastArrived.value.camera_name}`}
      </p>
      {!incidentsKnown.value ? (
        <NotYet />
      ) : list.length === 0 ? (
        <p class="page-note">{EMPTY[filter.value]()}</p>
      ) : (
        <ol class="alarms">
          {list.map((incident) => (
            <AlarmCard key={incident.id} incident={incident} />
          ))}
        </ol>
      )}
    </aside>
  );
}

function NotYet() {
  if (!cityError.value) return <p class="page-note">{word("loading")}</p>;
  return (
    <div class="page-note">
      <ProblemNote problem={asProblem(cityError.value)} />
      <button type="button" onClick={() => void refresh()}>
        {word("try_again")}
      </button>
    </div>
  );
}

function SoundSwitch() {
  const isOn = preferences.value.sound;
  const name = say(isOn ? "sound_on" : "sound_off");
  const flip = (): void => {
    prefer({ sound: !isOn });
    if (isOn) return;
    wakeSound();
    ring("attention");
  };
  return (
    <button type="button" class="quiet sound" role="switch" aria-checked={isOn} aria-label={name} title={name} data-testid="sound" onClick={flip}>
      <svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
        <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" />
        {isOn ? <path d="M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" /> : <path d="m16 9.5 5 5m0-5-5 5" />}
      </svg>
    </button>
  );
}
