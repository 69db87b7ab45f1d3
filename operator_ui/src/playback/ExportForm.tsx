import { useSignal } from "@preact/signals";
import type { Problem } from "../api/problem";
import { asProblem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { HoldDays } from "../holds/HoldDays";
import { holdRange } from "../holds/holds";
import { say as sayHold } from "../holds/words";
import { hasRight } from "../session/session";
import { clock } from "../words";
import type { Span } from "./time";
import { say } from "./words";

interface ExportProps {
  camera: string;
  incident: string | null;
  /** The moment on the screen. */
  moment: number | null;
  onHeld: () => void;
}

/** Choose a range at the picture, say why, and get it as one MP4, or keep it from being deleted. */
export function ExportForm({ camera, incident, moment, onHeld }: ExportProps) {
  const days = useSignal(90);
  const span = useSignal<Partial<Span>>({});
  const reason = useSignal("");
  const problem = useSignal<Problem | null>(null);
  const { begin, end } = span.value;
  const isWrong = begin !== undefined && end !== undefined && end <= begin;
  const isWhole = begin !== undefined && end !== undefined && !isWrong && reason.value.trim() !== "";
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (!isWhole) return;
    const query = new URLSearchParams({ from: new Date(begin).toISOString(), to: new Date(end).toISOString(), reason: reason.value.trim() });
    if (incident) query.set("incident", incident);
    const address = `/api/v1/cameras/${encodeURIComponent(camera)}/recordings/clip.mp4?${query.toString()}`;
    // Fetched by the browser's own download; what the center refuses would be a page, so a look first (no byte, no row).
    problem.value = await refusal(address);
    if (problem.value) return;
    const link = document.createElement("a");
    link.href = address;
    link.download = "";
    link.click();
  };
  const hold = async (): Promise<void> => {
    if (!isWhole) return;
    problem.value = await holdRange(camera, { begin, end }, reason.value.trim(), days.value, incident);
    if (problem.value === null) onHeld();
  };
  const here = (which: keyof Span): void => {
    if (moment !== null) span.value = { ...span.value, [which]: moment };
  };
  const text = (at: number | undefined): string => (at === undefined ? "–" : clock(new Date(at).toISOString()));
  return (
    <form class="export" data-testid="export" onSubmit={(event) => void submit(event)}>
      <h2>{say("export_title")}</h2>
      <div class="export-span">
        <span>
          <small>{say("export_from")}</small> <b data-testid="export-from">{text(begin)}</b>
          <button type="button" disabled={moment === null} onClick={() => here("begin")}>
            {say("export_from_here")}
          </button>
        </span>
        <span>
          <small>{say("export_to")}</small> <b data-testid="export-to">{text(end)}</b>
          <button type="button" disabled={moment === null} onClick={() => here("end")}>
            {say("export_to_here")}
          </button>
        </span>
      </div>
      <input
        value={reason.value}
        maxLength={500}
        placeholder={say("export_reason")}
        aria-label={say("export_reason")}
        onInput={(event) => (reason.value = event.currentTarget.value)}
      />
      <button class="primary" disabled={!isWhole}>
        {say("export_get")}
      </button>
      {hasRight("hold_recordings") && (
        <span class="export-hold">
          <HoldDays days={days.value} onChoose={(value) => (days.value = value)} />
          <button type="button" data-testid="hold-range" disabled={!isWhole} title={sayHold("hold_hint")} onClick={() => void hold()}>
            {sayHold("hold_range")}
          </button>
        </span>
      )}
      {isWrong && <p class="problem">{say("export_wrong")}</p>}
      <ProblemNote problem={problem.value} />
      <small>{say("export_hint")}</small>
    </form>
  );
}

/** Why the center would not give it: asked of the list, which is no export. */
async function refusal(address: string): Promise<Problem | null> {
  const list = address.replace("/clip.mp4?", "?");
  try {
    const answer = await fetch(list);
    if (!answer.ok) return asProblem(await answer.json());
    const { ranges } = (await answer.json()) as { ranges: unknown[] };
    return ranges.length > 0 ? null : { kind: "nothing-recorded", detail: "", errors: [] };
  } catch (error) {
    return asProblem(error);
  }
}
