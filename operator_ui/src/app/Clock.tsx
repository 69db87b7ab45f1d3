import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { clock } from "../words";

export function Clock() {
  const now = useSignal(new Date().toISOString());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = new Date().toISOString();
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return <time class="clock">{clock(now.value)}</time>;
}
