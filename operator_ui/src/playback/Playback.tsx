import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { TopBar } from "../app/TopBar";
import { problemWords } from "../api/problem";
import { cameraOf, cameras } from "../city/city";
import { clock, word } from "../words";
import type { Hold } from "../api/client";
import { HoldList } from "../holds/HoldList";
import { say as sayHold } from "../holds/words";
import { hasRight } from "../session/session";
import { Controls } from "./Controls";
import { ExportForm } from "./ExportForm";
import { alarms, cameraId, day, days, earliest, followCamera, loadRemoved, problem, ranges, refresh, removed, showDay } from "./recordings";
import { Strip } from "./Strip";
import { Tape, type TapeStatus } from "./tape";
import { dayName, near, noonOf, recordedAt } from "./time";
import { say } from "./words";
import "./playback.css";

/** What the address asks for: `/playback?camera=gate&at=2026-11-22T01:00:00Z&incident=…`. */
function asked(): { camera: string | null; at: number | null; incident: string | null } {
  const query = new URLSearchParams(location.search);
  const at = Date.parse(query.get("at") ?? "");
  return { camera: query.get("camera"), at: Number.isNaN(at) ? null : at, incident: query.get("incident") };
}

/** Looking back: a camera's day as a line, and its pictures. */
export function Playback() {
  const first = useRef(asked());
  const chosen = useSignal(first.current.camera);
  const list = cameras.value;
  useEffect(() => {
    if (first.current.at !== null) showDay(first.current.at);
    void loadRemoved();
  }, []);
  const isListed = (id: string): boolean => cameraOf(id) !== undefined || removed.value.some((one) => one.id === id);
  return (
    <div class="playback">
      <TopBar title={word("page_playback")} />
      <header class="playback-bar">
        <label>
          {say("camera")}
          <select
            data-testid="camera"
            value={chosen.value ?? ""}
            onChange={(event) => {
              chosen.value = event.currentTarget.value || null;
              first.current = { camera: chosen.value, at: null, incident: null };
              history.replaceState(null, "", chosen.value ? `/playback?camera=${encodeURIComponent(chosen.value)}` : "/playback");
            }}
          >
            <option value="">{say("choose")}</option>
            {list?.map((camera) => (
              <option key={camera.id} value={camera.id}>
                {camera.name}
              </option>
            ))}
            {removed.value.length > 0 && (
              <optgroup label={say("removed")}>
                {removed.value.map((camera) => (
                  <option key={camera.id} value={camera.id}>
                    {camera.name}
                  </option>
                ))}
              </optgroup>
            )}
            {chosen.value && list && !isListed(chosen.value) && <option value={chosen.value}>{chosen.value}</option>}
          </select>
        </label>
        {chosen.value && <DayChoice />}
      </header>
      {chosen.value ? (
        <Room key={chosen.value} camera={chosen.value} at={first.current.at} incident={first.current.incident} />
      ) : (
        <div class="page-note">
          <p>{list?.length === 0 ? say("no_cameras") : say("choose")}</p>
          <small>{say("choose_why")}</small>
        </div>
      )}
    </div>
  );
}

function DayChoice() {
  const shown = dayName(day.value.begin);
  const known = days.value.includes(shown) ? days.value : [...days.value, shown].sort();
  const at = known.indexOf(shown);
  const to = (name: string | undefined): void => {
    if (name) showDay(noonOf(name));
  };
  return (
    <span class="day-choice">
      <button type="button" aria-label={say("day_before")} disabled={at === 0} onClick={() => to(known[at - 1])}>
        ‹
      </button>
      <label>
        {say("day")}
        <select data-testid="day" value={shown} onChange={(event) => to(event.currentTarget.value)}>
          {known.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" aria-label={say("day_after")} disabled={at === known.length - 1} onClick={() => to(known[at + 1])}>
        ›
      </button>
    </span>
  );
}

function Room({ camera, at, incident }: { camera: string; at: number | null; incident: string | null }) {
  const video = useRef<HTMLVideoElement>(null);
  const tape = useRef<Tape | null>(null);
  const moment = useSignal<number | null>(at);
  const status = useSignal<TapeStatus>({ state: "empty", problem: null });
  const isBegun = useRef(false);
  const held = useSignal<Hold[]>([]);
  const placed = useSignal(0);
  useEffect(() => followCamera(camera), [camera]);
  useEffect(() => {
    if (!video.current) return;
    const opened = new Tape(
      video.current,
      (told) => (status.value = told),
      (now) => (moment.value = now),
    );
    tape.current = opened;
    return () => opened.close();
  }, []);
  const known = cameraId.value === camera ? ranges.value : null;
  const show = (wanted: number): void => {
    const target = recordedAt(known ?? [], Math.max(wanted, earliest.value ?? 0));
    if (target === null) {
      status.value = { state: "gap", problem: null };
      return;
    }
    moment.value = target;
    tape.current?.show({ camera, incident, earliest: earliest.value }, target);
  };
  useEffect(() => {
    if (!known?.length || isBegun.current) return;
    isBegun.current = true;
    // Without a wish: the last minute there is.
    show(at ?? Math.max((known.at(-1)?.end ?? 0) - 60_000, known.at(-1)?.begin ?? 0));
  }, [known]);
  const strips = { ranges: known ?? [], alarms: alarms.value, earliest: earliest.value, moment: moment.value, camera, held: held.value, onChoose: show };
  return (
    <main class="playback-room">
      <div class="playback-picture" data-testid="playback-picture" data-state={status.value.state}>
        <video ref={video} muted playsInline />
        <PictureState status={status.value} isKnown={known !== null} isEmpty={known?.length === 0} onRetry={() => void refresh().then(() => show(moment.value ?? Date.now()))} />
        {moment.value !== null && (
          <time class="taken" data-testid="taken" data-at={new Date(moment.value).toISOString()}>
            {dayName(moment.value)} {clock(new Date(moment.value).toISOString())}
          </time>
        )}
      </div>
      <Controls video={video} tape={tape} onMove={(ms) => show((moment.value ?? 0) + ms)} onNewest={() => show((known?.at(-1)?.end ?? 0) - 5_000)} />
      <Strip name="day_line" span={day.value} roundMs={60_000} {...strips} />
      {moment.value !== null && <Strip name="near_line" span={near(moment.value)} roundMs={2_000} {...strips} />}
      <ExportForm camera={camera} incident={incident} moment={moment.value} onHeld={() => (placed.value += 1)} />
      {hasRight("view_holds") && (
        <section class="playback-holds">
          <h2>{sayHold("title")}</h2>
          <HoldList about={{ camera }} version={placed.value} onHolds={(found) => (held.value = found)} />
        </section>
      )}
    </main>
  );
}

interface PictureStateProps {
  status: TapeStatus;
  isKnown: boolean;
  isEmpty: boolean;
  onRetry: () => void;
}

function PictureState({ status, isKnown, isEmpty, onRetry }: PictureStateProps) {
  const shown = problem.value ?? status.problem;
  if (shown) {
    return (
      <div class="picture-note" role="alert" data-problem={shown.kind}>
        <b>{problemWords(shown)}</b>
        {shown.detail && <small>{shown.detail}</small>}
        <button type="button" onClick={onRetry}>
          {say("try_again")}
        </button>
      </div>
    );
  }
  if (!isKnown) return <div class="picture-note">{say("loading")}</div>;
  if (isEmpty) return <div class="picture-note">{say(days.value.length ? "nothing" : "nothing_yet")}</div>;
  if (status.state === "loading") return <div class="picture-note thin">{say("picture_loading")}</div>;
  if (status.state === "gap") return <div class="picture-note">{say("picture_gap")}</div>;
  if (status.state === "end") return <div class="picture-note thin">{say("picture_end")}</div>;
  return null;
}
