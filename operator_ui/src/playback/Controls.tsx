import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { Tape } from "./tape";
import { say } from "./words";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];

interface ControlsProps {
  video: RefObject<HTMLVideoElement | null>;
  tape: RefObject<Tape | null>;
  /** Go on by so many milliseconds. */
  onMove: (ms: number) => void;
  onNewest: () => void;
}

/** Play, step, speed. Keys: space, arrows (10 s), comma and full stop (a picture). */
export function Controls({ video, tape, onMove, onNewest }: ControlsProps) {
  const isPaused = useSignal(true);
  const speed = useSignal(1);
  useEffect(() => {
    const shown = video.current;
    if (!shown) return;
    const look = (): void => {
      isPaused.value = shown.paused;
      // A new source begins at the ordinary speed.
      if (shown.playbackRate !== speed.value) shown.playbackRate = speed.value;
    };
    const names = ["play", "pause", "loadedmetadata"] as const;
    for (const name of names) shown.addEventListener(name, look);
    return () => names.forEach((name) => shown.removeEventListener(name, look));
  }, []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(event.target.tagName)) return;
      const act = { " ": () => tape.current?.toggle(), ArrowLeft: () => onMove(-10_000), ArrowRight: () => onMove(10_000), ",": () => tape.current?.step(-1), ".": () => tape.current?.step(1) }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  const choose = (value: number): void => {
    speed.value = value;
    if (video.current) video.current.playbackRate = value;
  };
  return (
    <div class="controls" data-testid="controls">
      <button type="button" title={say("back_10")} aria-label={say("back_10")} onClick={() => onMove(-10_000)}>
        −10
      </button>
      <button type="button" title={say("step_back")} aria-label={say("step_back")} data-testid="step-back" onClick={() => tape.current?.step(-1)}>
        ◂|
      </button>
      <button type="button" class="primary" data-testid="play" data-paused={isPaused.value} onClick={() => tape.current?.toggle()}>
        {say(isPaused.value ? "play" : "pause")}
      </button>
      <button type="button" title={say("step")} aria-label={say("step")} data-testid="step" onClick={() => tape.current?.step(1)}>
        |▸
      </button>
      <button type="button" title={say("on_10")} aria-label={say("on_10")} onClick={() => onMove(10_000)}>
        +10
      </button>
      <span class="speeds" role="group" aria-label={say("speed")}>
        {SPEEDS.map((value) => (
          <button key={value} type="button" aria-pressed={speed.value === value} data-speed={value} onClick={() => choose(value)}>
            {value}×
          </button>
        ))}
      </span>
      <button type="button" onClick={onNewest}>
        {say("newest")}
      </button>
    </div>
  );
}
