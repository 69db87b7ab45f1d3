/** A swipe over an element, by finger, pen or mouse. What is swiped follows at once and is let go without a wait. */

const FAR_PIXELS = 56;
const FLICK_PIXELS_A_MS = 0.5;
const FLICK_MIN_PIXELS = 24;

export type Swipe = "left" | "right" | "down";

/** Which swipe a movement is; null when it is none. Pure. */
export function swipeOf(dx: number, dy: number, milliseconds: number): Swipe | null {
  const isAcross = Math.abs(dx) > 1.4 * Math.abs(dy);
  const far = isAcross ? Math.abs(dx) : Math.abs(dy);
  const isFlick = far > FLICK_MIN_PIXELS && far / Math.max(1, milliseconds) > FLICK_PIXELS_A_MS;
  if (isAcross) return far > FAR_PIXELS || isFlick ? (dx < 0 ? "left" : "right") : null;
  return dy > 2 * FAR_PIXELS && dy > 1.4 * Math.abs(dx) ? "down" : null;
}

/** Watches `surface`, moves `moved` along; returns how to stop. Touches on buttons are theirs. */
export function watchSwipes(surface: HTMLElement, moved: HTMLElement, onSwipe: (swipe: Swipe) => void): () => void {
  const ends = new AbortController();
  const options = { signal: ends.signal };
  let start: { id: number; x: number; y: number; at: number } | null = null;
  surface.addEventListener("pointerdown", (event) => {
    if (start || event.button !== 0 || (event.target as Element).closest("button")) return;
    start = { id: event.pointerId, x: event.clientX, y: event.clientY, at: event.timeStamp };
    surface.setPointerCapture(event.pointerId);
  }, options);
  surface.addEventListener("pointermove", (event) => {
    if (event.pointerId !== start?.id) return;
    moved.style.transform = `translateX(${event.clientX - start.x}px)`;
  }, options);
  const end = (event: PointerEvent, isCounted: boolean): void => {
    if (event.pointerId !== start?.id) return;
    const swipe = swipeOf(event.clientX - start.x, event.clientY - start.y, event.timeStamp - start.at);
    start = null;
    moved.style.transform = "";
    if (isCounted && swipe) onSwipe(swipe);
  };
  surface.addEventListener("pointerup", (event) => end(event, true), options);
  surface.addEventListener("pointercancel", (event) => end(event, false), options);
  return () => ends.abort();
}
