import { DAYS } from "./holds";
import { say } from "./words";

/** For how long a hold is to stand. */
export function HoldDays({ days, onChoose }: { days: number; onChoose: (days: number) => void }) {
  return (
    <label class="hold-days">
      {say("for")}
      <select value={days} data-testid="hold-days" onChange={(event) => onChoose(Number(event.currentTarget.value))}>
        {DAYS.map((value) => (
          <option key={value} value={value}>
            {say(`days_${value}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
