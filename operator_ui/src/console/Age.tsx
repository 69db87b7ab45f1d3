import { ageOf } from "./alarms";
import { now } from "./now";
import { say } from "./words";

/** How long ago, counted on; alone in its component, so that a second's tick draws nothing else anew. */
export function Age({ at }: { at: string }) {
  const age = ageOf(at, now.value);
  return (
    <>
      {age.count}
      {say(`age_${age.unit}`)}
    </>
  );
}
