/**
 * <haechi-player camera="id" reason="wall" incident="id" while-visible>: a live picture over WHEP, without any framework.
 *
 * It connects when it is in the document, comes back by itself with growing pauses, and says how it is doing by
 * a `state` event: PlayerStatus. A picture that stops for STALL_MS counts as broken; one that lags too long is given up
 * for a live one. A large tile asks for the best stream that fits through the line, a small one for the sub stream;
 * `stream="main"` or `"sub"` asks for that one at any size. Changing never takes a picture away before the next one plays.
 * `reason` and `incident` go to the ledger. A refusal is not tried again by itself: each try would be a row there.
 * With `while-visible` it plays only while it is on the screen; every player rests while its page is hidden for long.
 */

import type { Ref } from "preact";
import { pictureOf, remember } from "./last-picture";
import { Failure, LiveSession, type Wish } from "./live-session";
import { JumpRule, PaceMeter, type Pace, type PaceSeen } from "./pace";
import { wishAt } from "./tile-size";

export type PlayerState = "connecting" | "playing" | "waiting" | "refused" | "paused";
export type { Pace } from "./pace";

export interface PlayerStatus {
  state: PlayerState;
  reason: string;
  /** Why not: the slug of the center's problem, or no-answer, connection-lost, no-picture, picture-stopped; else empty. */
  kind: string;
  /** From the call of connect to the first presented frame, in milliseconds. */
  firstPictureMs: number | null;
  /** How the picture moves, while it is playing. */
  pace: Pace;
  /** Whole seconds behind live; 0 unless `pace` is behind. */
  lagSeconds: number;
  /** While it is connecting: an older picture stands in its place. */
  hasOldPicture: boolean;
}

const STALL_MS = 2_500;
const CONNECT_MS = 8_000;
const WATCH_MS = 250;
/** Sixteen connections that are taken down cost a page as much as sixteen that come up: those that come go first. */
const END_AFTER_MS = 1_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 8_000;
const HIDDEN_PAGE_MS = 60_000;
/** Scrolled out and back in at once is no reason to connect anew. */
const OUT_OF_SIGHT_MS = 1_500;
/** A size must last before another stream is asked for: windows are dragged, walls move. */
const SETTLE_MS = 400;
/** So long an older picture may stand in for a new one without a word; then the tile says that it is connecting. */
const OLD_PICTURE_MS = 1_500;
/** After a change of stream failed, the picture that plays is left alone for so long. */
const CHANGE_PAUSE_MS = 30_000;
/** Answers that asking again does not change. */
const REFUSALS = new Set([401, 403, 404]);
export const AT_FIRST: PlayerStatus = { state: "connecting", reason: "", kind: "", firstPictureMs: null, pace: "live", lagSeconds: 0, hasOldPicture: false };

export class HaechiPlayer extends HTMLElement {
  static readonly observedAttributes = ["camera", "stream"];

  status: PlayerStatus = AT_FIRST;

  /** The session whose picture is shown, or is to be. */
  #session: LiveSession | null = null;
  /** A session that takes over as soon as it has a picture. */
  #next: LiveSession | null = null;
  #old: { element: HTMLElement; timer: number } | null = null;
  #wish: Wish = "sub";
  #asked: Wish = "sub";
  #mayChangeAt = 0;
  #meter = new PaceMeter();
  #jump = new JumpRule();
  #retryTimer = 0;
  #watchTimer = 0;
  #retryMs = RETRY_MIN_MS;
  #forget = (): unknown => undefined;
  #isInSight = true;
  #isPageRested = false;
  #restTimer = 0;
  #sightTimer = 0;
  #sizeTimer = 0;
  #sight: IntersectionObserver | null = null;
  #size: ResizeObserver | null = null;
  readonly #listener = {
    frame: (session: LiveSession, at: number, rtpTimestamp?: number, capturedAt?: number) => this.#onFrame(session, at, rtpTimestamp, capturedAt),
    broken: (session: LiveSession, failure: Failure) => this.#fail(session, failure),
  };

  /** What shows the picture now. */
  get video(): HTMLVideoElement | null {
    return this.#session?.video ?? null;
  }

  connectedCallback(): void {
    this.#retryMs = RETRY_MIN_MS;
    this.#isPageRested = false;
    document.addEventListener("visibilitychange", this.#onPage);
    this.#size = new ResizeObserver(() => this.#onSize());
    if (this.hasAttribute("while-visible")) {
      this.#isInSight = false;
      this.#sight = new IntersectionObserver((entries) => this.#onSight(entries.at(-1)?.isIntersecting ?? true));
      this.#sight.observe(this);
    } else this.#connect();
    this.#size.observe(this);
  }

  disconnectedCallback(): void {
    document.removeEventListener("visibilitychange", this.#onPage);
    for (const timer of [this.#restTimer, this.#sightTimer, this.#sizeTimer]) window.clearTimeout(timer);
    this.#sight?.disconnect();
    this.#size?.disconnect();
    this.#sight = this.#size = null;
    this.#isInSight = true;
    this.#close();
    this.replaceChildren();
  }

  /** Try now instead of at the end of the pause: somebody knows that the camera is back. */
  retryNow(): void {
    if ((this.status.state !== "waiting" && this.status.state !== "refused") || !this.isConnected) return;
    this.#retryMs = RETRY_MIN_MS;
    this.#connect();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.isConnected || before === after) return;
    if (name === "stream") this.#onSize();
    else if (before !== null) {
      this.#dropOld(); // another camera's
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
    this.#say({ state: "paused" });
  }

  #wishNow(): Wish {
    const fixed = this.getAttribute("stream");
    if (fixed === "main" || fixed === "sub") return fixed;
    const { width, height } = this.getBoundingClientRect();
    return width && height ? wishAt(width, height, devicePixelRatio, this.#wish) : this.#wish;
  }

  #onSize(): void {
    window.clearTimeout(this.#sizeTimer);
    this.#sizeTimer = window.setTimeout(() => {
      this.#wish = this.#wishNow();
    }, SETTLE_MS);
  }

  #connect(): void {
    const camera = this.getAttribute("camera");
    const before = this.#old?.element;
    const old = camera && this.#isInSight && !this.#isPageRested ? pictureOf(camera) : null;
    this.#close();
    if (!camera || !this.#isInSight || this.#isPageRested) return;
    if (old) this.#standIn(old, OLD_PICTURE_MS);
    else if (before) this.#standIn(before);
    this.#wish = this.#wishNow();
    this.#mayChangeAt = 0;
    this.#session = this.#open(camera);
    this.#say({ state: "connecting", hasOldPicture: old !== null });
    this.#watchTimer = window.setInterval(() => this.#watch(), WATCH_MS);
  }

  /** A session for what is wished now; its video lies over all others, and is clear until it has a picture. */
  #open(camera: string): LiveSession {
    this.#asked = this.#wish;
    const asked = { camera, wish: this.#wish, reason: this.getAttribute("reason"), incident: this.getAttribute("incident") };
    const session = new LiveSession(asked, this.#listener);
    this.append(session.video);
    return session;
  }

  /** `element` stays under what comes, until that has a picture; after `ms` the tile says what it waits for. */
  #standIn(element: HTMLElement, ms = 0): void {
    this.#dropOld();
    this.prepend(element);
    const say = (): void => {
      if (this.status.hasOldPicture) this.#say({ ...this.status, hasOldPicture: false });
    };
    this.#old = { element, timer: ms ? window.setTimeout(say, ms) : 0 };
  }

  #dropOld(): void {
    window.clearTimeout(this.#old?.timer);
    this.#old?.element.remove();
    this.#old = null;
  }

  #onFrame(session: LiveSession, at: number, rtpTimestamp?: number, capturedAt?: number): void {
    if (session === this.#next) {
      this.#session?.end();
      this.#session?.video.remove();
      this.#session = session;
      this.#next = null;
      this.#meter = new PaceMeter();
      this.#hasPicture(session);
    } else if (session !== this.#session) return;
    if (this.status.state !== "playing") {
      this.#dropOld();
      this.#retryMs = RETRY_MIN_MS;
      this.#hasPicture(session);
      this.#say({ state: "playing", firstPictureMs: Math.round(at - session.startedAt) });
    }
    this.#meter.frame(at, rtpTimestamp, capturedAt);
  }

  #hasPicture(session: LiveSession): void {
    this.#forget();
    this.#forget = remember(this.getAttribute("camera") ?? "", session.video);
  }

  #watch(): void {
    const now = performance.now();
    const session = this.#session;
    if (!session) return;
    // A hidden page presents no frames; that is not a broken picture.
    if (document.hidden) {
      if (session.lastFrameAt) session.lastFrameAt = now;
      this.#meter.rest();
    } else if (!session.lastFrameAt) {
      if (now - session.startedAt > CONNECT_MS) this.#fail(session, new Failure("", "no-picture"));
    } else if (now - session.lastFrameAt > STALL_MS) this.#fail(session, new Failure("", "picture-stopped"));
    else {
      this.#tellPace(this.#meter.look(now));
      if (this.#next && now - this.#next.startedAt > CONNECT_MS) this.#fail(this.#next, new Failure("", "no-picture"));
      else if (this.#jump.mustJump(now, this.#meter.lagMs(now))) this.#jumpToLive(session);
      else if (this.#asked !== this.#wish && !this.#next && now > this.#mayChangeAt) void this.#change(session);
    }
  }

  #tellPace(seen: PaceSeen): void {
    const { pace, lagSeconds } = this.status;
    if (this.status.state === "playing" && (seen.pace !== pace || seen.lagSeconds !== lagSeconds)) this.#say({ ...this.status, ...seen });
  }

  /** Another stream of the same camera, in the session there is or in a new one beside it. */
  async #change(session: LiveSession): Promise<void> {
    const wish = (this.#asked = this.#wish);
    const isDone = await session.choose(wish);
    const camera = this.getAttribute("camera");
    if (isDone || this.#session !== session || this.#next || this.#asked !== wish || !camera) return;
    this.#next = this.#open(camera);
  }

  /** What lies in queues on the way is given up with the session; its last picture stays until a new one is there. */
  #jumpToLive(session: LiveSession): void {
    const camera = this.getAttribute("camera");
    if (!camera) return;
    this.#next?.end();
    this.#next?.video.remove();
    this.#next = null;
    const last = pictureOf(camera);
    this.#forget();
    session.end();
    session.video.remove();
    if (last) this.#standIn(last, OLD_PICTURE_MS);
    this.#wish = this.#wishNow();
    this.#meter = new PaceMeter();
    this.#session = this.#open(camera);
    this.#say({ state: "connecting", hasOldPicture: true });
  }

  #fail(session: LiveSession, failure: Failure): void {
    if (session === this.#next) {
      // What plays goes on.
      session.end();
      session.video.remove();
      this.#next = null;
      this.#asked = this.#wish === "sub" ? "auto" : "sub";
      this.#mayChangeAt = performance.now() + CHANGE_PAUSE_MS;
      return;
    }
    if (session !== this.#session) return;
    const last = session.lastFrameAt ? session.video : (this.#old?.element ?? session.video);
    this.#close();
    this.#standIn(last);
    const isRefused = REFUSALS.has(failure.status);
    this.#say({ state: isRefused ? "refused" : "waiting", reason: failure.message, kind: failure.kind });
    if (isRefused) return;
    const pause = this.#retryMs * (0.75 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    this.#retryTimer = window.setTimeout(() => this.#connect(), pause);
  }

  #close(): void {
    window.clearTimeout(this.#retryTimer);
    window.clearInterval(this.#watchTimer);
    this.#dropOld();
    for (const session of [this.#session, this.#next]) {
      session?.end(END_AFTER_MS);
      session?.video.remove();
    }
    this.#session = this.#next = null;
    this.#meter = new PaceMeter();
    const forget = this.#forget;
    this.#forget = () => undefined;
    window.setTimeout(forget, END_AFTER_MS);
  }

  #say(status: Partial<PlayerStatus>): void {
    this.status = { ...AT_FIRST, ...status };
    this.dataset["state"] = this.status.state;
    this.dataset["pace"] = this.status.pace;
    this.dispatchEvent(new CustomEvent<PlayerStatus>("state", { detail: this.status }));
  }
}

customElements.define("haechi-player", HaechiPlayer);

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "haechi-player": {
        ref?: Ref<HaechiPlayer>;
        camera: string;
        stream?: "main" | "sub" | undefined;
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
