import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Hold } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { hasRight } from "../session/session";
import { dateAndTime, word } from "../words";
import { type About, type Held, holdsOf, release } from "./holds";
import { say } from "./words";
import "./holds.css";

interface HoldListProps {
  about: About;
  /** Another value fetches anew. */
  version?: unknown;
  /** A camera's name, where the list is of more than one. */
  nameOf?: (cameraId: string) => string;
  onHolds?: (holds: Hold[]) => void;
}

/** What is held; who may release it has a button for it. */
export function HoldList({ about, version, nameOf, onHolds }: HoldListProps) {
  const held = useSignal<Held | null>(null);
  const problem = useSignal<Problem | null>(null);
  const again = useSignal(0);
  useEffect(() => {
    let isWanted = true;
    holdsOf(about).then(
      (found) => {
        if (!isWanted) return;
        held.value = found;
        problem.value = null;
        onHolds?.(found.holds);
      },
      (error: unknown) => {
        if (isWanted) problem.value = asProblem(error);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [about.camera, about.incident, version, again.value]);
  if (held.value === null) return problem.value ? <ProblemNote problem={problem.value} /> : <p class="quiet-note">{word("loading")}</p>;
  const { holds, faults } = held.value;
  return (
    <>
      {faults.length > 0 && <p class="problem">{say("faults")}</p>}
      <ProblemNote problem={problem.value} />
      {holds.length === 0 && <p class="quiet-note">{say("none")}</p>}
      <ul class="holds" data-testid="holds">
        {holds.map((hold) => (
          <HoldRow key={hold.hold_id} hold={hold} name={nameOf?.(hold.camera_id)} onReleased={() => (again.value += 1)} />
        ))}
      </ul>
    </>
  );
}

function HoldRow({ hold, name, onReleased }: { hold: Hold; name: string | undefined; onReleased: () => void }) {
  const reason = useSignal<string | null>(null);
  const problem = useSignal<Problem | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const why = reason.value?.trim();
    if (!why) return;
    problem.value = await release(hold.hold_id, why);
    if (problem.value === null) onReleased();
  };
  return (
    <li data-hold={hold.hold_id} data-over={hold.over}>
      <span class="hold-facts">
        {name !== undefined && <b>{name}</b>}
        <span>
          {dateAndTime(hold.since)} – {dateAndTime(hold.until)}
        </span>
        <small>
          {hold.over ? say("over") : hold.expires_at ? `${say("held_until")} ${dateAndTime(hold.expires_at)}` : say("held_for_good")} ·{" "}
          {hold.by_verdict ? say("by_verdict") : `${hold.placed_by}: ${hold.reason}`}
        </small>
      </span>
      {hasRight("release_holds") && reason.value === null && (
        <button type="button" class="quiet" data-testid="release" onClick={() => (reason.value = "")}>
          {say("release")}
        </button>
      )}
      {reason.value !== null && (
        <form class="hold-release" onSubmit={(event) => void submit(event)}>
          <input
            value={reason.value}
            maxLength={500}
            placeholder={say("release_reason")}
            aria-label={say("release_reason")}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
          <button type="button" class="quiet" onClick={() => (reason.value = null)}>
            {word("cancel")}
          </button>
          <button data-testid="release-confirm" disabled={!reason.value.trim()}>
            {say("release")}
          </button>
          <small>{say("release_hint")}</small>
          <ProblemNote problem={problem.value} />
        </form>
      )}
    </li>
  );
}
