import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Incident, Step } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { stepsOf } from "../city/steps";
import { clock, word } from "../words";
import { say, sayFor } from "./words";

/** Every step that was taken with the alarm, oldest first; fetched again whenever it changes. */
export function Timeline({ incident }: { incident: Incident }) {
  const steps = useSignal<Step[] | null>(null);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    let isWanted = true;
    stepsOf(incident.id).then(
      (list) => {
        if (!isWanted) return;
        steps.value = list;
        problem.value = null;
      },
      (error: unknown) => {
        if (isWanted) problem.value = asProblem(error);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [incident.id, incident.updated_at]);
  return (
    <>
      <h3>{say("timeline")}</h3>
      <ProblemNote problem={problem.value} />
      {steps.value === null ? (
        !problem.value && <p class="quiet-note">{word("loading")}</p>
      ) : (
        <ol class="timeline" data-testid="timeline">
          {steps.value.map((step) => (
            <li key={`${step.at}${step.action}${step.desk}`} data-action={step.action}>
              <time dateTime={step.at}>{clock(step.at)}</time>
              <span>
                {sayFor("step", step.action)}
                {step.desk && ` · ${word(`desk_${step.desk}`)}`}
              </span>
              <small>{step.by ?? say("machine")}</small>
              {step.note && <q>{step.note}</q>}
            </li>
          ))}
        </ol>
      )}
    </>
  );
}
