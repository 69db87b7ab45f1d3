/** One WHEP session: an offer, its answer, a video that shows what comes, and its end. */

import { iceServers } from "../api/ice-servers";
import { HoldRule } from "./lateness";

/** Known, as a rule, when the first picture is asked for; one that fails without them is tried again with them. */
iceServers();

/** What is asked for: a stream, or the better one that fits through the line. */
export type Wish = "main" | "sub" | "auto";

export interface Asked {
  camera: string;
  wish: Wish;
  /** For the ledger. */
  reason: string | null;
  incident: string | null;
}

export interface Listener {
  /** A frame was presented: when (as performance.now), its RTP time stamp (90 kHz), and when it was captured, where known. */
  frame: (session: LiveSession, at: number, rtpTimestamp: number | undefined, capturedAt: number | undefined) => void;
  broken: (session: LiveSession, failure: Failure) => void;
}

const CLOSE_MS = 2_000;
/** Where the sender may say that nothing is to be held, Chromium holds nothing, whatever is asked of it here (HoldRule). */
const PLAYOUT_DELAY = /a=extmap:.*\/rtp-hdrext\/playout-delay\r\n/g;
const LAYER = /<([^>]+)>[^,]*rel="?urn:ietf:params:whep:ext:core:layer"?/;

export class LiveSession {
  readonly video = document.createElement("video");
  readonly startedAt = performance.now();
  /** The last frame, as performance.now; 0 before the first. */
  lastFrameAt = 0;

  readonly #peer = new RTCPeerConnection({ iceServers: iceServers(), bundlePolicy: "max-bundle" });
  readonly #abort = new AbortController();
  readonly #listener: Listener;
  #location: string | null = null;
  #layer: string | null = null;
  #isOver = false;
  #hold = new HoldRule();
  #receiver: RTCRtpReceiver | null = null;

  constructor(asked: Asked, listener: Listener) {
    this.#listener = listener;
    Object.assign(this.video, { muted: true, autoplay: true, playsInline: true, disablePictureInPicture: true });
    this.#negotiate(asked).catch((error: unknown) => this.#break(error instanceof Failure ? error : thrown(error)));
  }

  async #negotiate(asked: Asked): Promise<void> {
    const peer = this.#peer;
    const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = (event) => {
      this.#receiver = transceiver.receiver;
      this.#holdFrames(0);
      this.video.srcObject = new MediaStream([event.track]);
      this.#watchFrames();
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") this.#break(new Failure("", "connection-lost"));
    };
    await peer.setLocalDescription();
    const answer = await fetch(urlOf(asked), {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: (peer.localDescription?.sdp ?? "").replace(PLAYOUT_DELAY, ""),
      signal: this.#abort.signal,
      priority: "high",
    });
    this.#location = answer.headers.get("Location");
    this.#layer = LAYER.exec(answer.headers.get("Link") ?? "")?.[1] ?? null;
    if (!answer.ok) throw await failure(answer);
    const sdp = await answer.text();
    if (!this.#isOver) await peer.setRemoteDescription({ type: "answer", sdp });
  }

  #watchFrames(): void {
    const onFrame: VideoFrameRequestCallback = (now, { rtpTimestamp, captureTime, receiveTime }) => {
      if (this.#isOver) return;
      if (receiveTime !== undefined && rtpTimestamp !== undefined) this.#holdFrames(this.#hold.frame(receiveTime, rtpTimestamp));
      this.lastFrameAt = performance.now();
      this.#listener.frame(this, now, rtpTimestamp, captureTime);
      this.video.requestVideoFrameCallback(onFrame);
    };
    this.video.requestVideoFrameCallback(onFrame);
  }

  #holdFrames(ms: number): void {
    const receiver = this.#receiver;
    if (receiver && "jitterBufferTarget" in receiver && receiver.jitterBufferTarget !== ms) receiver.jitterBufferTarget = ms;
  }

  /** Ask for another stream of the camera. False where the session cannot change: then a new one is needed. */
  async choose(wish: Wish): Promise<boolean> {
    if (!this.#layer || this.#isOver) return false;
    try {
      const answer = await fetch(this.#layer, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ encodingId: wish }),
        signal: this.#abort.signal,
      });
      return answer.ok;
    } catch {
      return this.#isOver; // one that has ended needs nothing more
    }
  }

  #break(failure: Failure): void {
    if (!this.#isOver) this.#listener.broken(this, failure);
  }

  /** Nothing is heard of it any more. Its last picture stays until `afterMs` have passed; then the worker is told. */
  end(afterMs = 0): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort();
    this.#peer.onconnectionstatechange = null;
    // Later: where a wall gives way to one large picture, sixteen requests must not stand before its own.
    if (afterMs) window.setTimeout(() => this.#close(), afterMs);
    else this.#close();
  }

  /** The worker ends a session whose peer has closed: say it first, or the DELETE finds nothing. */
  #close(): void {
    for (const receiver of this.#peer.getReceivers()) receiver.track.stop();
    const told = this.#location
      ? fetch(this.#location, { method: "DELETE", keepalive: true, priority: "low", signal: AbortSignal.timeout(CLOSE_MS) })
      : Promise.resolve();
    void told.catch(() => undefined).finally(() => this.#peer.close());
  }
}

function urlOf({ camera, wish, reason, incident }: Asked): string {
  const query = new URLSearchParams({ stream: wish });
  if (reason) query.set("reason", reason);
  if (incident) query.set("incident", incident);
  return `/api/v1/cameras/${encodeURIComponent(camera)}/whep?${query}`;
}

/** Why there is no picture: `kind` is a problem's slug of the center, or one of the player's own. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly kind: string,
    readonly status = 0,
  ) {
    super(message);
  }
}

/** A fetch that nobody answered throws a TypeError; anything else is told in the browser's words. */
function thrown(error: unknown): Failure {
  if (error instanceof TypeError) return new Failure("", "no-answer");
  return new Failure(error instanceof Error ? error.message : String(error), "unknown");
}

async function failure(response: Response): Promise<Failure> {
  let problem: { type?: string; detail?: string; title?: string } = {};
  try {
    problem = (await response.json()) as typeof problem;
  } catch {
    // A proxy in between may answer with something else.
  }
  const kind = /^urn:haechi:problem:(.+)$/.exec(problem.type ?? "")?.[1] ?? (response.status >= 502 ? "no-answer" : "unknown");
  return new Failure(problem.detail ?? problem.title ?? `error ${response.status}`, kind, response.status);
}
