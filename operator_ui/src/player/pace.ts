/**
 * How a live picture moves: with the time, behind it, haltingly, or not at all. Pure; times in ms of performance.now.
 *
 * Lag is read off the frames' own clock: a frame that is presented later, by its RTP time stamp, than the quickest of the
 * last minutes was, is late by that much. Where the browser knows when a frame was captured, that is taken instead
 * (it does where the server answers its reports of time, RFC 3611, which ours need not).
 */

import { Lateness } from "./lateness";

export type Pace = "live" | "behind" | "slow" | "still";

export interface PaceSeen {
  pace: Pace;
  /** How far behind live, in whole seconds; 0 unless `pace` is behind. */
  lagSeconds: number;
}

const BEHIND_MS = 1_000;
const BEHIND_NO_MORE_MS = 700;
const STILL_MS = 1_300;
/** Of the last SPAN_MS so much stood still: halting. */
const SLOW_SHARE = 0.3;
const SPAN_MS = 10_000;
/** What is bad is said when it lasts, what is good again a little later: words must not flicker. */
const WORSE_AFTER_MS = 800;
const BETTER_AFTER_MS = 2_000;
const RECENT_MS = 1_000;

export class PaceMeter {
  #interval = 0;
  #lastAt = 0;
  #lateness = new Lateness();
  #recent: { at: number; lag: number }[] = [];
  #freezes: { until: number; length: number }[] = [];
  #shown: PaceSeen = { pace: "live", lagSeconds: 0 };
  #since = 0;
  #candidate: Pace = "live";

  /** A frame was presented. */
  frame(at: number, rtpTimestamp: number | undefined, capturedAt?: number): void {
    if (this.#lastAt) this.#noteGap(at, at - this.#lastAt);
    this.#lastAt = at;
    const lag = capturedAt !== undefined ? at - capturedAt : rtpTimestamp !== undefined ? this.#lateness.of(at, rtpTimestamp) : 0;
    this.#recent = this.#recent.filter((one) => at - one.at < RECENT_MS);
    this.#recent.push({ at, lag });
  }

  /** The page is not looked at: what was missed meanwhile is no freeze. */
  rest(): void {
    this.#lastAt = 0;
    this.#recent = [];
  }

  /** How far behind live the picture is now; the least of the last second, so that one late frame counts for nothing. */
  lagMs(at: number): number {
    const last = this.#recent.at(-1);
    if (!last) return 0;
    return Math.max(0, Math.min(...this.#recent.map((one) => one.lag)) + Math.max(0, at - last.at - RECENT_MS));
  }

  /** What there is to say; asked a few times a second. */
  look(at: number): PaceSeen {
    const pace = this.#paceAt(at);
    if (pace !== this.#candidate) {
      this.#candidate = pace;
      this.#since = at;
    }
    const wait = pace === "live" ? BETTER_AFTER_MS : pace === "still" ? 0 : WORSE_AFTER_MS;
    if (pace !== this.#shown.pace && at - this.#since >= wait) this.#shown = { pace, lagSeconds: 0 };
    const lag = this.lagMs(at) / 1000;
    const isFar = Math.abs(lag - this.#shown.lagSeconds) > 0.7;
    if (this.#shown.pace === "behind" && pace === "behind" && isFar) this.#shown = { pace, lagSeconds: Math.max(1, Math.round(lag)) };
    return this.#shown;
  }

  #paceAt(at: number): Pace {
    if (!this.#lastAt) return "live";
    if (at - this.#lastAt > Math.max(STILL_MS, 3 * this.#interval)) return "still";
    if (this.lagMs(at) > (this.#shown.pace === "behind" ? BEHIND_NO_MORE_MS : BEHIND_MS)) return "behind";
    const frozen = this.#freezes.reduce((sum, one) => sum + (at - one.until < SPAN_MS ? one.length : 0), 0);
    return frozen > SLOW_SHARE * SPAN_MS ? "slow" : "live";
  }

  /** What counts as a freeze is as in WebRTC's statistics (freezeCount). */
  #noteGap(at: number, gap: number): void {
    if (this.#interval && gap > Math.max(3 * this.#interval, this.#interval + 150)) {
      this.#freezes = this.#freezes.filter((one) => at - one.until < SPAN_MS);
      this.#freezes.push({ until: at, length: gap });
      // A camera that was set to fewer pictures a second shows all of them late; that is its way, after a while.
      this.#interval += (Math.min(gap, 2_000) - this.#interval) / 50;
    } else this.#interval = this.#interval ? this.#interval + (gap - this.#interval) / 20 : gap;
  }
}

const JUMP_LAG_MS = 2_000;
const JUMP_AFTER_MS = 3_000;
const JUMP_PAUSE_MS = 10_000;
const JUMP_PAUSE_MAX_MS = 120_000;

/** When a picture that lags must be given up for a live one. Each time that did not help long, a longer pause follows. */
export class JumpRule {
  #since = 0;
  #lastAt = -Infinity;
  #pauseMs = JUMP_PAUSE_MS;

  /** Whether to jump now, `lagMs` behind. */
  mustJump(at: number, lagMs: number): boolean {
    if (lagMs < JUMP_LAG_MS) {
      this.#since = 0;
      if (at - this.#lastAt > 2 * JUMP_PAUSE_MAX_MS) this.#pauseMs = JUMP_PAUSE_MS;
      return false;
    }
    this.#since ||= at;
    if (at - this.#since < JUMP_AFTER_MS || at - this.#lastAt < this.#pauseMs) return false;
    if (this.#lastAt > -Infinity) this.#pauseMs = Math.min(2 * this.#pauseMs, JUMP_PAUSE_MAX_MS);
    this.#lastAt = at;
    this.#since = 0;
    return true;
  }
}
