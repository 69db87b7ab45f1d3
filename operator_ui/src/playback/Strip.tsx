import { useSignal } from "@preact/signals";
import type { Hold, Incident } from "../api/client";
import { clock, wordFor } from "../words";
import { Thumbnail } from "./Thumbnail";
import { share, type Span } from "./time";
import { say } from "./words";

interface StripProps {
  name: "day_line" | "near_line";
  span: Span;
  ranges: readonly Span[];
  alarms: readonly Incident[];
  held: readonly Hold[];
  earliest: number | null;
  moment: number | null;
  /** Of small pictures: those of moments this near are the same. */
  roundMs: number;
  camera: string;
  onChoose: (at: number) => void;
}

const TICKS = 8;

/** A line of time: what is recorded, the alarms, where the picture is. A click goes there, hovering shows a picture. */
export function Strip({ name, span, ranges, alarms, held, earliest, moment, roundMs, camera, onChoose }: StripProps) {
  const hover = useSignal<number | null>(null);
  const percent = (at: number): string => `${(share(span, at) * 100).toFixed(3)}%`;
  const within = (at: number): boolean => at >= span.begin && at <= span.end;
  const at = (event: MouseEvent): number => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return span.begin + ((event.clientX - box.left) / box.width) * (span.end - span.begin);
  };
  const isRecorded = hover.value !== null && ranges.some((one) => one.begin <= (hover.value ?? 0) && one.end > (hover.value ?? 0));
  const seconds = (span.end - span.begin) / TICKS < 3_600_000;
  return (
    <div class="strip" data-testid={name}>
      <div
        class="strip-line"
        role="slider"
        tabIndex={-1}
        aria-label={say(name)}
        aria-valuemin={span.begin}
        aria-valuemax={span.end}
        aria-valuenow={moment ?? span.begin}
        aria-valuetext={moment === null ? "" : clock(new Date(moment).toISOString())}
        onClick={(event) => onChoose(at(event))}
        onPointerMove={(event) => (hover.value = at(event))}
        onPointerLeave={() => (hover.value = null)}
      >
        {ranges
          .filter((one) => one.end > span.begin && one.begin < span.end)
          .map((one) => (
            <i key={one.begin} class="recorded" style={{ left: percent(one.begin), width: `${((share(span, one.end) - share(span, one.begin)) * 100).toFixed(3)}%` }} />
          ))}
        {held
          .map((one) => ({ id: one.hold_id, begin: Date.parse(one.since), end: Date.parse(one.until), over: one.over }))
          .filter((one) => !one.over && one.end > span.begin && one.begin < span.end)
          .map((one) => (
            <i key={one.id} class="held" title={say("held")} style={{ left: percent(one.begin), width: `${((share(span, one.end) - share(span, one.begin)) * 100).toFixed(3)}%` }} />
          ))}
        {earliest !== null && earliest > span.begin && <i class="closed-before" title={say("earliest")} style={{ width: percent(earliest) }} />}
        {moment !== null && within(moment) && <i class="moment" style={{ left: percent(moment) }} />}
      </div>
      {alarms
        .filter((one) => within(Date.parse(one.started_at)))
        .map((one) => (
          <button
            key={one.id}
            type="button"
            class="alarm-mark"
            data-severity={one.severity}
            data-incident={one.id}
            style={{ left: percent(Date.parse(one.started_at)) }}
            title={`${wordFor("kind", one.kind)} · ${clock(one.started_at)}`}
            aria-label={`${say("alarm")}: ${wordFor("kind", one.kind)}, ${clock(one.started_at)}`}
            onClick={() => onChoose(Date.parse(one.started_at) - 10_000)}
          />
        ))}
      <div class="ticks" aria-hidden="true">
        {Array.from({ length: TICKS }, (_, number) => {
          const tick = span.begin + ((span.end - span.begin) * number) / TICKS;
          return (
            <span key={number} style={{ left: percent(tick) }}>
              {clock(new Date(tick).toISOString()).slice(0, seconds ? 8 : 5)}
            </span>
          );
        })}
      </div>
      {hover.value !== null && (
        <div class="hover" style={{ left: `clamp(80px, ${percent(hover.value)}, calc(100% - 80px))` }} data-testid="hover">
          {isRecorded ? <Thumbnail camera={camera} at={Math.floor(hover.value / roundMs) * roundMs} /> : <em>{say("gap")}</em>}
          <b>{clock(new Date(hover.value).toISOString())}</b>
        </div>
      )}
    </div>
  );
}
