import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, problemText, type Camera } from "../api/client";
import { CopyButton } from "../app/CopyButton";
import { TopBar } from "../app/TopBar";
import { word } from "../words";
import { Examination, type Step } from "./examination";
import { say } from "./words";
import "./doctor.css";

type Stream = "main" | "sub";

/** The connection doctor: opens one picture and says at which step it fails and what to do. `?camera=` chooses and begins. */
export function Doctor() {
  const asked = new URLSearchParams(location.search).get("camera") ?? "";
  const cameras = useSignal<Camera[] | null>(null);
  const failure = useSignal("");
  const camera = useSignal(asked);
  const stream = useSignal<Stream>("sub");
  const steps = useSignal<Step[] | null>(null);
  const video = useRef<HTMLVideoElement>(null);
  const running = useRef<Examination | null>(null);
  const examine = (): void => {
    running.current?.end();
    if (!video.current || !camera.value) return;
    const examination = new Examination(camera.value, stream.value, video.current, (now) => (steps.value = now));
    running.current = examination;
    steps.value = examination.steps;
    void examination.run();
  };
  useEffect(() => {
    void load(cameras, failure, camera);
    if (asked) examine();
    return () => running.current?.end();
  }, []);
  const known = cameras.value?.some((one) => one.id === camera.value) ?? false;
  const isRunning = steps.value?.some((step) => step.state === "running") ?? false;
  return (
    <div class="doctor">
      <TopBar title={word("page_doctor")} />
      <main class="doctor-room">
        <p class="doctor-intro">{say("intro")}</p>
        <form
          class="doctor-form"
          onSubmit={(event) => {
            event.preventDefault();
            examine();
          }}
        >
          <label>
            {say("camera")}
            <select name="camera" value={camera.value} onChange={(event) => (camera.value = event.currentTarget.value)}>
              {!known && camera.value && <option value={camera.value}>{camera.value}</option>}
              {cameras.value?.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
          <label>
            {say("stream")}
            <select name="stream" value={stream.value} onChange={(event) => (stream.value = event.currentTarget.value as Stream)}>
              <option value="sub">{say("stream_sub")}</option>
              <option value="main">{say("stream_main")}</option>
            </select>
          </label>
          <button type="submit" class="primary" disabled={!camera.value || isRunning} data-testid="examine">
            {say(isRunning ? "running" : steps.value ? "again" : "start")}
          </button>
        </form>
        {failure.value && <p role="alert">{failure}</p>}
        {cameras.value?.length === 0 && !camera.value && <p class="page-note">{say("none")}</p>}
        <div class="doctor-result">
          {steps.value && <Result steps={steps.value} />}
          <video ref={video} class="doctor-picture" muted autoplay playsInline data-shown={steps.value?.at(-1)?.state === "good"} />
        </div>
      </main>
    </div>
  );
}

async function load(cameras: { value: Camera[] | null }, failure: { value: string }, camera: { value: string }): Promise<void> {
  try {
    const { data, error } = await api.GET("/api/v1/cameras");
    if (!data) throw error;
    cameras.value = data.cameras;
    camera.value ||= data.cameras[0]?.id ?? "";
  } catch (error) {
    failure.value = problemText(error);
  }
}

function Result({ steps }: { steps: Step[] }) {
  const failed = steps.find((step) => step.state === "failed");
  const isGood = steps.every((step) => step.state === "good");
  return (
    <section class="doctor-steps" data-testid="verdict" data-result={failed ? failed.code : isGood ? "good" : "running"} aria-live="polite">
      {isGood && <p class="doctor-good">{say("all_good")}</p>}
      <ol>
        {steps.map((step) => (
          <StepRow key={step.name} step={step} />
        ))}
      </ol>
      {(failed || isGood) && (
        <p class="doctor-report">
          {say("report")} <CopyButton text={reportOf(steps)} />
        </p>
      )}
    </section>
  );
}

const MARKS = { open: "·", running: "…", good: "✓", failed: "✕" } as const;

function StepRow({ step }: { step: Step }) {
  return (
    <li data-step={step.name} data-state={step.state}>
      <i aria-hidden="true">{MARKS[step.state]}</i>
      <div>
        <b>{say(`step_${step.name}`)}</b> <small>{say(`state_${step.state}`)}</small>
        {step.code && (
          <div class="doctor-wrong">
            <p>{say(`wrong_${step.code}`)}</p>
            <p>
              <b>{say("what_to_do")}</b> {say(`mend_${step.code}`)}
            </p>
          </div>
        )}
        {step.facts.length > 0 && (
          <ul aria-label={say("facts")}>
            {step.facts.map((fact) => (
              <li key={fact}>{fact}</li>
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

/** As plain text, to be sent to whoever mends it. */
function reportOf(steps: readonly Step[]): string {
  const lines = steps.map((step) => {
    const why = step.code ? ` – ${say(`wrong_${step.code}`)}` : "";
    return [`${MARKS[step.state]} ${say(`step_${step.name}`)}${why}`, ...step.facts.map((fact) => `    ${fact}`)].join("\n");
  });
  return [new Date().toISOString(), navigator.userAgent, ...lines].join("\n");
}
