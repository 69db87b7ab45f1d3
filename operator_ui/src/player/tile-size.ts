/** Which stream a picture needs at its size. Pure. */

import type { Wish } from "./live-session";

/** Lines of the screen that a 16:9 picture covers, from which a sub stream (360 lines, as a rule) would look coarse. */
const LARGE_LINES = 450;
/** Back to the sub stream only well below it, so that a border that is dragged does not make it change to and fro. */
const SMALL_LINES = 380;

/** A tile of `width` x `height` CSS pixels; `before` is what it asked for at its last size. */
export function wishAt(width: number, height: number, pixelRatio: number, before: Wish | null): Wish {
  const lines = Math.min(height, (width * 9) / 16) * pixelRatio;
  return lines >= (before === "auto" ? SMALL_LINES : LARGE_LINES) ? "auto" : "sub";
}
