/**
 * <haechi-player camera="id" stream="main|sub" reason="wall" incident="id" while-visible>: a live picture over WHEP,
 * without any framework.
 *
 * It connects when it is in the document, comes back by itself with growing pauses, and says how it is doing by
 * a `state` event: { state, reason, kind, firstPictureMs }. A picture that stops for STALL_MS counts as broken.
 * `reason` and `incident` go to the ledger. A refusal is not tried again by itself: each try would be a row there.
 * With `while-visible` it plays only while it is on the screen; every player rests while its page is hidden for long.
 */

import type { Ref } from "preact";

export type PlayerState = "connecting" | "playing" | "waiting" | "refused" | "paused";

export interface PlayerStatus {
  state: PlayerState;
  reason: string;
  /** Why not: the slug of the center's problem, or no-answer, connection-lost, no-picture, picture-stopped; else empty. */
  kind: string;
  /** From the call of connect to the first presented frame, in milliseconds. */
  firstPictureMs: number | null;
}

const STALL_MS = 2_500;
const CONNECT_MS = 8_000;
const CLOSE_MS = 2_000;
const END_AFTER_MS = 300;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 8_000;
const HIDDEN_PAGE_MS = 60_000;
/** Scrolled out and back in at once is no reason to connect anew. */
const OUT_OF_SIGHT_MS = 1_500;
/** Answers that asking again does not change. */
const REFUSALS = new Set([401, 403, 404]);

interface Session {
  peer: RTCPeerConnection;
  abort: AbortController;
  location: string | null;
  startedAt: number;
}

export class HaechiPlayer extends HTMLElement {
  static readonly observedAttributes = ["camera", "stream"];

  status: PlayerStatus = { state: "connecting", reason: "", kind: "", firstPictureMs: null };
  readonly video = document.createElement("video");

  #session: Session | null = null;
  #retryTimer = 0;
  #watchTimer = 0;
  #retryMs = RETRY_MIN_MS;
  #lastFrameAt = 0;
  #isInSight = true;
  #isPageRested = false;
  #restTimer = 0;
  #sightTimer = 0;
  #sight: IntersectionObserver | null = null;

  constructor() {
    super();
    this.video.muted = true;
    this.video.autoplay = true;
    this.video.playsInline = true;
    this.video.disablePictureInPicture = true;
  }

  connectedCallback(): void {
    this.append(this.video);
    this.#retryMs = RETRY_MIN_MS;
    this.#isPageRested = false;
    document.addEventListener("visibilitychange", this.#onPage);
    if (this.hasAttribute("while-visible")) {
      this.#isInSight = false;
      this.#sight = new IntersectionObserver((entries) => this.#onSight(entries.at(-1)?.isIntersecting ?? true));
      this.#sight.observe(this);
    } else this.#connect();
  }

  disconnectedCallback(): void {
    document.removeEventListener("visibilitychange", this.#onPage);
    window.clearTimeout(this.#restTimer);
    window.clearTimeout(this.#sightTimer);
    this.#sight?.disconnect();
    this.#sight = null;
    this.#isInSight = true;
    this.#close();
    this.video.remove();
  }

  /** Try now instead of at the end of the pause: somebody knows that the camera is back. */
  retryNow(): void {
    if ((this.status.state !== "waiting" && this.status.state !== "refused") || !this.isConnected) return;
    this.#retryMs = RETRY_MIN_MS;
    this.#connect();
  }

  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    if (this.isConnected && before !== null && before !== after) {
      this.#retryMs = RETRY_MIN_MS;
      this.#connect();
    }
  }

  #onPage = (): void => {
    window.clearTimeout(this.#restTimer);
    if (document.hidden) {
      this.#restTimer = window.setTimeout(() => {
        this.#isPageRested = true;
        this.#rest();
      }, HIDDEN_PAGE_MS);
    } else if (this.#isPageRested) {
      this.#isPageRested = false;
      this.#connect();
    }
  };

  #onSight(isInSight: boolean): void {
    window.clearTimeout(this.#sightTimer);
    if (!isInSight) {
      this.#sightTimer = window.setTimeout(() => {
        this.#isInSight = false;
        this.#rest();
      }, OUT_OF_SIGHT_MS);
    } else if (!this.#isInSight) {
      this.#isInSight = true;
      this.#connect();
    }
  }

  #rest(): void {
    this.#close();
    this.#say("paused", "");
  }

  #connect(): void {
    this.#close();
    if (!this.getAttribute("camera") || !this.#isInSight || this.#isPageRested) return;
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
    this.#negotiate(session, this.#url()).catch((error: unknown) =>
      this.#fail(session, error instanceof Failure ? error : thrown(error)),
    );
  }

  #url(): string {
    const query = new URLSearchParams({ stream: this.getAttribute("stream") ?? "sub" });
    for (const name of ["reason", "incident"]) {
      const value = this.getAttribute(name);
      if (value) query.set(name, value);
    }
    return `/api/v1/cameras/${encodeURIComponent(this.getAttribute("camera") ?? "")}/whep?${query}`;
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
      if (peer.connectionState === "failed") this.#fail(session, new Failure("", "connection-lost"));
    };
    await peer.setLocalDescription();
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription?.sdp ?? "",
      signal: abort.signal,
      priority: "high",
    });
    session.location = answer.headers.get("Location");
    if (!answer.ok) throw await failure(answer);
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
      if (this.#lastFrameAt === 0) {
        if (now - session.startedAt > CONNECT_MS) this.#fail(session, new Failure("", "no-picture"));
      } else if (now - this.#lastFrameAt > STALL_MS) this.#fail(session, new Failure("", "picture-stopped"));
    }, 500);
  }

  #fail(session: Session, { message, kind, status }: Failure): void {
    if (this.#session !== session || session.abort.signal.aborted) return;
    this.#close();
    const isRefused = REFUSALS.has(status);
    this.#say(isRefused ? "refused" : "waiting", message, null, kind);
    if (isRefused) return;
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
    session.peer.onconnectionstatechange = null;
    for (const receiver of session.peer.getReceivers()) receiver.track.stop();
    // A moment later: where a wall gives way to one large picture, sixteen requests must not stand before its own.
    window.setTimeout(() => end(session), END_AFTER_MS);
  }

  #say(state: PlayerState, reason: string, firstPictureMs: number | null = null, kind = ""): void {
    this.status = { state, reason, kind, firstPictureMs };
    this.dataset["state"] = state;
    this.dispatchEvent(new CustomEvent<PlayerStatus>("state", { detail: this.status }));
  }
}

/** The worker ends a session whose peer has closed: say it first, or the DELETE finds nothing. */
function end({ peer, location }: Session): void {
  const told = location
    ? fetch(location, { method: "DELETE", keepalive: true, priority: "low", signal: AbortSignal.timeout(CLOSE_MS) })
    : Promise.resolve();
  void told.catch(() => undefined).finally(() => peer.close());
}

/** Why there is no picture: `kind` is a problem's slug of the center, or one of the player's own. */
class Failure extends Error {
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

customElements.define("haechi-player", HaechiPlayer);

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "haechi-player": {
        ref?: Ref<HaechiPlayer>;
        camera: string;
        stream: "main" | "sub";
        reason?: string | undefined;
        incident?: string | undefined;
        "while-visible"?: "" | undefined;
        onstate?: (event: CustomEvent<PlayerStatus>) => void;
        key?: string;
        class?: string;
      };
    }
  }
}
