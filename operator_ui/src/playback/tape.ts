/** Recorded pictures in a <video>: opens the hour around a moment as HLS and goes about in it. No framework. */

import Hls, { type ErrorData, type LevelDetails } from "hls.js/light";
import { asProblem, type Problem } from "../api/problem";
import { windowAt, type Span } from "./time";

export type TapeState = "empty" | "loading" | "ready" | "gap" | "end" | "failed";

export interface TapeStatus {
  state: TapeState;
  problem: Problem | null;
}

interface Asked {
  camera: string;
  incident: string | null;
  earliest: number | null;
}

const DEFAULT_STEP_SECONDS = 1 / 15;

export class Tape {
  readonly #video: HTMLVideoElement;
  readonly #onStatus: (status: TapeStatus) => void;
  readonly #onMoment: (at: number) => void;
  #hls: Hls | null = null;
  #asked: Asked | null = null;
  #window: Span | null = null;
  #details: LevelDetails | null = null;
  #stepSeconds = DEFAULT_STEP_SECONDS;
  #lastMediaTime = -1;
  #wantsPlay = true;
  #isClosed = false;

  constructor(video: HTMLVideoElement, onStatus: (status: TapeStatus) => void, onMoment: (at: number) => void) {
    this.#video = video;
    this.#onStatus = onStatus;
    this.#onMoment = onMoment;
    video.addEventListener("ended", this.#atEnd);
    video.addEventListener("playing", this.#atPlaying);
    video.addEventListener("timeupdate", this.#tell);
    video.addEventListener("seeked", this.#tell);
    video.requestVideoFrameCallback?.(this.#atFrame);
  }

  /** Show the moment `at` (ms since 1970), playing unless it was paused. What is open already is not opened again. */
  show(asked: Asked, at: number): void {
    const isSame = this.#asked?.camera === asked.camera && this.#asked.incident === asked.incident;
    this.#asked = asked;
    if (isSame && this.#window && this.#details && at >= this.#window.begin && at < this.#window.end) {
      this.#seek(at);
      return;
    }
    this.#open(at);
  }

  /** When the picture on the screen was taken; null while there is none. */
  get moment(): number | null {
    return this.#momentOf(this.#video.currentTime);
  }

  toggle(): void {
    this.#wantsPlay = this.#video.paused;
    if (this.#wantsPlay) void this.#video.play().catch(() => undefined);
    else this.#video.pause();
  }

  /** One picture on, or back. */
  step(direction: 1 | -1): void {
    this.#wantsPlay = false;
    this.#video.pause();
    this.#video.currentTime += direction * this.#stepSeconds;
  }

  close(): void {
    this.#isClosed = true;
    this.#hls?.destroy();
    this.#hls = null;
    this.#video.removeEventListener("ended", this.#atEnd);
    this.#video.removeEventListener("playing", this.#atPlaying);
    this.#video.removeEventListener("timeupdate", this.#tell);
    this.#video.removeEventListener("seeked", this.#tell);
  }

  #open(at: number): void {
    const asked = this.#asked;
    if (!asked) return;
    this.#hls?.destroy();
    this.#details = null;
    this.#window = windowAt(at, asked.earliest, Date.now());
    this.#onStatus({ state: "loading", problem: null });
    const query = new URLSearchParams({
      from: new Date(this.#window.begin).toISOString(),
      to: new Date(this.#window.end).toISOString(),
      reason: "lookback",
      ...(asked.incident ? { incident: asked.incident } : {}),
    });
    const hls = new Hls({ autoStartLoad: false, maxBufferLength: 20, maxMaxBufferLength: 40, backBufferLength: 20 });
    this.#hls = hls;
    hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
      if (this.#details) return;
      this.#details = details;
      const position = this.#positionOf(at);
      if (position === null) {
        this.#onStatus({ state: "gap", problem: null });
        return;
      }
      hls.startLoad(position);
      this.#video.currentTime = position;
      if (this.#wantsPlay) void this.#video.play().catch(() => undefined);
    });
    hls.on(Hls.Events.ERROR, (_, data) => this.#onError(data));
    hls.on(Hls.Events.FRAG_BUFFERED, () => this.#onStatus({ state: "ready", problem: null }));
    hls.loadSource(`/api/v1/cameras/${encodeURIComponent(asked.camera)}/recordings/index.m3u8?${query.toString()}`);
    hls.attachMedia(this.#video);
  }

  #seek(at: number): void {
    const position = this.#positionOf(at);
    if (position === null) {
      this.#onStatus({ state: "gap", problem: null });
      return;
    }
    this.#onStatus({ state: "ready", problem: null });
    this.#video.currentTime = position;
    if (this.#wantsPlay) void this.#video.play().catch(() => undefined);
  }

  /** Where `at` lies in the playlist, which leaves gaps out; null when nothing follows it. */
  #positionOf(at: number): number | null {
    for (const part of this.#details?.fragments ?? []) {
      const begin = part.programDateTime ?? 0;
      if (begin + part.duration * 1000 > at) return part.start + Math.max(at - begin, 0) / 1000 + 0.001;
    }
    return null;
  }

  #momentOf(position: number): number | null {
    const parts = this.#details?.fragments;
    const part = parts?.find((one) => one.start + one.duration > position) ?? parts?.at(-1);
    return part?.programDateTime ? part.programDateTime + (position - part.start) * 1000 : null;
  }

  readonly #atFrame = (_now: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
    const step = mediaTime - this.#lastMediaTime;
    if (step > 0.005 && step < 1.1) this.#stepSeconds = step;
    this.#lastMediaTime = mediaTime;
    if (!this.#isClosed) this.#video.requestVideoFrameCallback(this.#atFrame);
  };

  readonly #atPlaying = (): void => this.#onStatus({ state: "ready", problem: null });

  readonly #tell = (): void => {
    const at = this.moment;
    if (at !== null) this.#onMoment(at);
  };

  /** At the end of what was opened, the next hour is. */
  readonly #atEnd = (): void => {
    const end = this.#window?.end ?? 0;
    const last = this.moment ?? end;
    if (end >= Date.now() - 4000 && Date.now() - last < 8000) {
      this.#onStatus({ state: "end", problem: null });
      return;
    }
    this.#open(Math.max(last, Math.min(end, Date.now() - 1000)));
  };

  #onError({ fatal, response, networkDetails, type }: ErrorData): void {
    if (response?.code === 410 && this.#details) {
      this.#open(this.moment ?? Date.now());
      return;
    }
    if (!fatal) return;
    if (type === Hls.ErrorTypes.MEDIA_ERROR && response === undefined && this.#hls) {
      this.#hls.recoverMediaError();
      return;
    }
    const problem = told(networkDetails) ?? { kind: response?.code ? "unknown" : "no-answer", detail: "", errors: [] };
    if (problem.kind === "nothing-recorded" && !this.#details) this.#onStatus({ state: "gap", problem: null });
    else this.#onStatus({ state: "failed", problem });
    this.#window = null;
  }
}

function told(request: unknown): Problem | null {
  if (!(request instanceof XMLHttpRequest)) return null;
  try {
    const text = request.responseType === "arraybuffer" ? new TextDecoder().decode(request.response as ArrayBuffer) : request.responseText;
    return asProblem(JSON.parse(text));
  } catch {
    return null; // No problem document: the connection broke.
  }
}
