import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Dispatch, Incident } from "../api/client";
import type { Problem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { clock } from "../words";
import { given, mayAnswer, send, type Answer } from "./desk";
import { say } from "./words";

const ANSWERS: readonly Answer[] = ["receive", "arrive", "outcome"];
const QUICK = {
  police: ["quick_settled", "quick_handed", "quick_nobody", "quick_false"],
  fire: ["quick_out", "quick_settled", "quick_nobody", "quick_false"],
} as const;

/** Received, arrived, outcome: three large buttons in their order, each with its time once it was pressed. */
export function DeskAnswers({ incident, dispatch }: { incident: Incident; dispatch: Dispatch }) {
  const note = useSignal("");
  const busy = useSignal<Answer | null>(null);
  const hint = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const isOver = incident.state === "closed" || dispatch.outcome_at !== null;

  async function answer(which: Answer): Promise<void> {
    const text = note.value.trim();
    hint.value = which === "outcome" && text === "";
    if (hint.value) {
      field.current?.focus();
      return;
    }
    busy.value = which;
    problem.value = await send(incident.id, which, text);
    busy.value = null;
    if (!problem.value) note.value = "";
  }

  return (
    <section class="desk-answers" aria-label={say("steps")}>
      <ol>
        {ANSWERS.map((which, index) => (
          <li key={which}>
            <AnswerButton which={which} number={index + 1} dispatch={dispatch} isClosed={incident.state === "closed"} busy={busy.value} onPress={() => void answer(which)} />
          </li>
        ))}
      </ol>
      {!isOver && (
        <div class="answer-note">
          <textarea
            ref={field}
            rows={2}
            maxLength={2000}
            aria-label={say("note")}
            placeholder={say("note_hint")}
            data-testid="desk-note"
            value={note.value}
            onInput={(event) => (note.value = event.currentTarget.value)}
          />
          {hint.value && <p role="alert">{say("outcome_needed")}</p>}
          {dispatch.received_at && (
            <div class="quick">
              {QUICK[dispatch.desk].map((phrase) => (
                <button key={phrase} type="button" onClick={() => (note.value = note.value ? `${note.value}\n${say(phrase)}` : say(phrase))}>
                  {say(phrase)}
                </button>
              ))}
            </div>
          )}
        </div>
      )}
      <ProblemNote problem={problem.value} />
    </section>
  );
}

interface AnswerButtonProps {
  which: Answer;
  number: number;
  dispatch: Dispatch;
  isClosed: boolean;
  busy: Answer | null;
  onPress: () => void;
}

function AnswerButton({ which, number, dispatch, isClosed, busy, onPress }: AnswerButtonProps) {
  const done = given(dispatch, which);
  const isOpen = !isClosed && mayAnswer(dispatch, which);
  const isNext = isOpen && (which === "receive" || (which === "arrive") === (dispatch.arrived_at === null));
  return (
    <button
      type="button"
      class={isNext ? "answer primary" : "answer"}
      data-testid={`desk-${which}`}
      data-done={done !== null}
      disabled={!isOpen || busy !== null}
      onClick={onPress}
    >
      <span class="answer-number" aria-hidden="true">
        {done ? "✓" : number}
      </span>
      <span class="answer-words">
        <b>{say(which)}</b>
        <small>{done ? [done.by, done.note].filter(Boolean).join(" · ") : say(`${which}_hint`)}</small>
      </span>
      {done && <time dateTime={done.at}>{clock(done.at)}</time>}
    </button>
  );
}
