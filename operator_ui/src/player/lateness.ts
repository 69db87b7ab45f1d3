/** How late frames come by their own clock, and how long to hold them so that they can be shown evenly. Pure; ms. */

const BASE_MS = 30_000;
const BASES = 10;

/** How much later than the quickest of the last minutes something happens, by the RTP time stamp it belongs to. */
export class Lateness {
  #rtp: number | null = null;
  #media = 0;
  #bases: { since: number; least: number }[] = [];

  of(at: number, rtpTimestamp: number): number {
    if (this.#rtp !== null) this.#media += ((rtpTimestamp - this.#rtp) | 0) / 90;
    this.#rtp = rtpTimestamp;
    const transit = at - this.#media;
    const base = this.#bases.at(-1);
    if (base && at - base.since < BASE_MS) base.least = Math.min(base.least, transit);
    else this.#bases = [...this.#bases.slice(1 - BASES), { since: at, least: transit }];
    return transit - Math.min(...this.#bases.map((one) => one.least));
  }
}

/** The pictures of a fast start come all at once; what that says of the line is nothing. */
const START_MS = 1_000;
const WINDOW_MS = 30_000;
const LEAST_FRAMES = 10;
/** All but so many frames of the window are to be in time. */
const LATE_SHARE = 0.004;
/** So late is a frame that waits for a repeated packet; where many do, one packet or the other is repeated twice. */
const REPEATED_MS = 110;
const OFTEN = 0.05;
/** A frame may be this much later than the one before it without anybody seeing a freeze. */
const UNSEEN_MS = 60;
const MOST_MS = 500;
const STEP_MS = 20;

/**
 * How long frames are held. On a good line not at all: live is live. Where packets are lost, repeated ones come a round
 * trip later or two; shown the moment they are there, every other picture would freeze.
 */
export class HoldRule {
  #lateness = new Lateness();
  #came: { at: number; late: number }[] = [];
  #beganAt = 0;
  #decidedAt = 0;
  #holdMs = 0;

  /** A frame whose last packet came at `receivedAt`. How long to hold frames from now on. */
  frame(receivedAt: number, rtpTimestamp: number): number {
    this.#beganAt ||= receivedAt;
    const late = this.#lateness.of(receivedAt, rtpTimestamp);
    if (receivedAt - this.#beganAt < START_MS) return this.#holdMs;
    this.#came.push({ at: receivedAt, late });
    if (receivedAt - this.#decidedAt < 1_000) return this.#holdMs;
    this.#decidedAt = receivedAt;
    this.#came = this.#came.filter((one) => receivedAt - one.at < WINDOW_MS);
    if (this.#came.length < LEAST_FRAMES) return this.#holdMs;
    const sorted = this.#came.map((one) => one.late).sort((a, b) => b - a);
    const repeated = sorted.filter((late) => late > REPEATED_MS);
    const twice = repeated.length > OFTEN * sorted.length ? 2 * repeated[repeated.length >> 1]! : 0;
    const wanted = Math.max(sorted[Math.floor(sorted.length * LATE_SHARE)]!, twice) - UNSEEN_MS;
    // At once up, step by step down: a line that lost packets once will again.
    const next = wanted < UNSEEN_MS ? 0 : Math.min(MOST_MS, Math.ceil(wanted / STEP_MS) * STEP_MS);
    this.#holdMs = next > this.#holdMs ? next : Math.max(next, this.#holdMs - STEP_MS);
    return this.#holdMs;
  }
}
