/**
 * <haechi-player camera="id" stream="main|sub">: a live picture over WHEP, without any framework.
 *
 * It connects when it is in the document, comes back by itself with growing pauses, and says how it is doing by
 * a `state` event: { state, reason, firstPictureMs }. A picture that stops for STALL_MS counts as broken.
 */

import type { Ref } from "preact";

export type PlayerState = "connecting" | "playing" | "waiting";

export interface PlayerStatus {
  state: PlayerState;
  reason: string;
  /** From the call of connect to the first presented frame, in milliseconds. */
  firstPictureMs: number | null;
}

const STALL_MS = 2_500;
const CONNECT_MS = 8_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 8_000;

interface Session {
  peer: RTCPeerConnection;
  abort: AbortController;
  location: string | null;
  startedAt: number;
}

export class HaechiPlayer extends HTMLElement {
  static readonly observedAttributes = ["camera", "stream"];

  status: PlayerStatus = { state: "connecting", reason: "", firstPictureMs: null };
  readonly video = document.createElement("video");

  #session: Session | null = null;
  #retryTimer = 0;
  #watchTimer = 0;
  #retryMs = RETRY_MIN_MS;
  #lastFrameAt = 0;

  constructor() {
    super();
    this.video.muted = true;
    this.video.autoplay = true;
    this.video.playsInline = true;
    this.video.disablePictureInPicture = true;
  }

  connectedCallback(): void {
    this.append(this.video);
    this.#connect();
  }

  disconnectedCallback(): void {
    this.#close();
    this.video.remove();
  }

  /** Try now instead of at the end of the pause: somebody knows that the camera is back. */
  retryNow(): void {
    if (this.status.state !== "waiting" || !this.isConnected) return;
    this.#retryMs = RETRY_MIN_MS;
    this.#connect();
  }

  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    if (this.isConnected && before !== null && before !== after) {
      this.#retryMs = RETRY_MIN_MS;
      this.#connect();
    }
  }

  #connect(): void {
    this.#close();
    const camera = this.getAttribute("camera");
    if (!camera) return;
    const stream = this.getAttribute("stream") ?? "sub";
    const session: Session = {
      peer: new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" }),
      abort: new AbortController(),
      location: null,
      startedAt: performance.now(),
    };
    this.#session = session;
    this.#lastFrameAt = 0;
    this.#say("connecting", "");
    this.#watch(session);
    this.#negotiate(session, `/api/v1/cameras/${encodeURIComponent(camera)}/whep?stream=${stream}`).catch(
      (error: unknown) => this.#fail(session, error instanceof Error ? error.message : String(error)),
    );
  }

  async #negotiate(session: Session, url: string): Promise<void> {
    const { peer, abort } = session;
    const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = (event) => {
      if ("jitterBufferTarget" in transceiver.receiver) transceiver.receiver.jitterBufferTarget = 0;
      this.video.srcObject = new MediaStream([event.track]);
      this.#countFrames(session);
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") this.#fail(session, "connection lost");
    };
    await peer.setLocalDescription();
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription?.sdp ?? "",
      signal: abort.signal,
    });
    session.location = answer.headers.get("Location");
    if (!answer.ok) throw new Error(await problemDetail(answer));
    const sdp = await answer.text();
    if (abort.signal.aborted) return;
    await peer.setRemoteDescription({ type: "answer", sdp });
  }

  #countFrames(session: Session): void {
    const onFrame = (now: number): void => {
      if (this.#session !== session) return;
      if (this.#lastFrameAt === 0) {
        this.#retryMs = RETRY_MIN_MS;
        this.#say("playing", "", Math.round(now - session.startedAt));
      } else if (this.status.state !== "playing") {
        this.#say("playing", "", this.status.firstPictureMs);
      }
      this.#lastFrameAt = performance.now();
      this.video.requestVideoFrameCallback(onFrame);
    };
    this.video.requestVideoFrameCallback(onFrame);
  }

  #watch(session: Session): void {
    this.#watchTimer = window.setInterval(() => {
      // A hidden page presents no frames; that is not a broken picture.
      if (document.hidden) {
        if (this.#lastFrameAt) this.#lastFrameAt = performance.now();
        return;
      }
      const now = performance.now();
      if (this.#lastFrameAt === 0 && now - session.startedAt > CONNECT_MS) this.#fail(session, "no picture arrived");
      else if (this.#lastFrameAt > 0 && now - this.#lastFrameAt > STALL_MS) this.#fail(session, "the picture stopped");
    }, 500);
  }

  #fail(session: Session, reason: string): void {
    if (this.#session !== session || session.abort.signal.aborted) return;
    this.#close();
    this.#say("waiting", reason);
    const pause = this.#retryMs * (0.75 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    this.#retryTimer = window.setTimeout(() => this.#connect(), pause);
  }

  #close(): void {
    window.clearTimeout(this.#retryTimer);
    window.clearInterval(this.#watchTimer);
    const session = this.#session;
    this.#session = null;
    if (!session) return;
    session.abort.abort();
    session.peer.close();
    if (session.location) void fetch(session.location, { method: "DELETE", keepalive: true }).catch(() => undefined);
  }

  #say(state: PlayerState, reason: string, firstPictureMs: number | null = null): void {
    this.status = { state, reason, firstPictureMs };
    this.dataset["state"] = state;
    this.dispatchEvent(new CustomEvent<PlayerStatus>("state", { detail: this.status }));
  }
}

async function problemDetail(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? `error ${response.status}`;
  } catch {
    return `error ${response.status}`;
  }
}

customElements.define("haechi-player", HaechiPlayer);

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "haechi-player": { ref?: Ref<HaechiPlayer>; camera: string; stream: "main" | "sub"; onstate?: (event: CustomEvent<PlayerStatus>) => void; key?: string; class?: string };
    }
  }
}
