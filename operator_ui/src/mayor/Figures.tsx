import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { cameras, openAlarms } from "../city/city";
import { figures, followFigures } from "../city/figures";
import { durationText, say } from "./words";

/** The day in six figures. */
export function Figures() {
  useEffect(followFigures, []);
  const day = figures.value;
  const all = cameras.value ?? [];
  const live = all.filter((camera) => camera.state === "live").length;
  const open = day?.incidents.open ?? openAlarms.value.length;
  const { police, fire } = day?.dispatches ?? {};
  return (
    <section class="figures" aria-label={say("figures")} data-testid="figures">
      <Figure name="alarms" title={say("alarms_today")} value={day?.incidents.total}>
        {say("alarms_open_now")} <b class={open ? "warm" : ""}>{open}</b>
      </Figure>
      <Figure name="real" title={say("judged")} value={day?.incidents.real}>
        {say("judged_false")} <b>{day?.incidents.false ?? "–"}</b> · {say("judged_unsure")} <b>{day?.incidents.unsure ?? "–"}</b>
      </Figure>
      <Figure name="dispatches" title={say("dispatched")} value={day && (police?.total ?? 0) + (fire?.total ?? 0)}>
        {say("police")} <b>{police?.total ?? "–"}</b> · {say("fire")} <b>{fire?.total ?? "–"}</b>
      </Figure>
      <Duration name="acknowledge" title={say("time_to_acknowledge")} seconds={day?.seconds_to_acknowledge} />
      <Duration name="arrive" title={say("time_to_arrive")} seconds={day?.seconds_to_arrive} />
      <Figure name="cameras" title={say("cameras_live")} value={cameras.value && `${live}/${all.length}`}>
        {all.length === live ? say("all_live") : <>{say("not_live")} <b class="warm">{all.length - live}</b></>}
      </Figure>
    </section>
  );
}

interface FigureProps {
  name: string;
  title: string;
  value: number | string | null | undefined;
  children: ComponentChildren;
}

function Figure({ name, title, value, children }: FigureProps) {
  return (
    <div class="day-figure" data-figure={name}>
      <span class="day-title">{title}</span>
      <strong>{value ?? "–"}</strong>
      <small>{children}</small>
    </div>
  );
}

interface DurationProps {
  name: string;
  title: string;
  seconds: { median: number; p95: number } | null | undefined;
}

function Duration({ name, title, seconds }: DurationProps) {
  return (
    <Figure name={name} title={title} value={seconds && durationText(seconds.median)}>
      {seconds ? <>{say("median")} · {say("ninety_fifth")} <b>{durationText(seconds.p95)}</b></> : say("none_yet")}
    </Figure>
  );
}
