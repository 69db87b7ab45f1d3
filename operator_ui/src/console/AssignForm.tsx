import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type Incident } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { account } from "../session/session";
import { assign } from "../city/steps";
import { word, wordFor } from "../words";
import { busy, tell } from "./refusals";
import { form } from "./selection";
import { say } from "./words";

interface Member {
  id: string;
  name: string;
  role: string;
}

/** To whom the shift lead gives the alarm. */
export function AssignForm({ incident }: { incident: Incident }) {
  const staff = useSignal<Member[] | null>(null);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    api.GET("/api/v1/staff").then(
      ({ data, error }) => {
        staff.value = data?.staff ?? null;
        problem.value = data ? null : asProblem(error);
      },
      (error: unknown) => (problem.value = asProblem(error)),
    );
  }, []);
  const me = account.value?.account_id;
  const others = staff.value
    ?.filter((member) => member.id !== incident.owner_id)
    .sort((a, b) => Number(a.id === me) - Number(b.id === me) || a.name.localeCompare(b.name));
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const chosen = String(new FormData(event.currentTarget as HTMLFormElement).get("member"));
    const taken = await tell(incident.id, () => assign(incident.id, chosen));
    if (taken && form.value?.name === "assign") form.value = null;
  };
  return (
    <form class="step-form" data-testid="assign-form" onSubmit={(event) => void submit(event)}>
      <ProblemNote problem={problem.value} />
      {!others && !problem.value && <p class="quiet-note">{word("loading")}</p>}
      {others?.length === 0 && <p class="quiet-note">{say("nobody_there")}</p>}
      {others && others.length > 0 && (
        <select name="member" aria-label={say("assign_to")}>
          {others.map((member) => (
            <option key={member.id} value={member.id}>
              {member.name} · {wordFor("role", member.role)}
            </option>
          ))}
        </select>
      )}
      <div class="form-end">
        <button type="button" class="quiet" onClick={() => (form.value = null)}>
          {word("cancel")}
        </button>
        <button class="primary" data-testid="assign-confirm" disabled={!others?.length || busy.value.has(incident.id)}>
          {say("assign_confirm")}
        </button>
      </div>
    </form>
  );
}
