import type { Dispatch } from "../api/client";
import { clock, word } from "../words";
import { say } from "./words";

/** What each desk was told and has answered so far. */
export function DeskAnswers({ dispatches }: { dispatches: readonly Dispatch[] }) {
  return (
    <>
      <h3>{say("desks")}</h3>
      {dispatches.map((dispatch) => (
        <div class="desk" key={dispatch.desk} data-desk={dispatch.desk}>
          <b>{word(`desk_${dispatch.desk}`)}</b>
          <ol>
            <Answer name={say("sent")} at={dispatch.dispatched_at} by={dispatch.dispatched_by} text={dispatch.note} />
            <Answer name={say("received")} at={dispatch.received_at} by={dispatch.received_by} text={dispatch.received_note} />
            <Answer name={say("arrived")} at={dispatch.arrived_at} by={dispatch.arrived_by} text={dispatch.arrived_note} />
            <Answer name={say("outcome")} at={dispatch.outcome_at} by={dispatch.outcome_by} text={dispatch.outcome} />
          </ol>
        </div>
      ))}
    </>
  );
}

interface AnswerProps {
  name: string;
  at: string | null;
  by: string | null;
  text: string | null;
}

function Answer({ name, at, by, text }: AnswerProps) {
  return (
    <li data-given={at !== null}>
      <span>{name}</span>
      {at ? <time dateTime={at}>{clock(at)}</time> : <small>{say("waiting")}</small>}
      {by && <small>{by}</small>}
      {text && <q>{text}</q>}
    </li>
  );
}
