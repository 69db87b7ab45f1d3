/** A short tone for a new alarm, made in the browser: two notes, twice for a serious one. */

import type { Severity } from "../api/client";

const NOTES_HZ = [659, 880];
const NOTE_SECONDS = 0.14;
const LOUDNESS = 0.12;

let context: AudioContext | null = null;

/** Call it from a click once: browsers play nothing before. */
export function wakeSound(): void {
  context ??= new AudioContext();
  void context.resume();
}

export function ring(severity: Severity): void {
  if (!context) wakeSound();
  const audio = context!;
  const times = severity === "serious" ? 2 : 1;
  for (let round = 0; round < times; round++) {
    NOTES_HZ.forEach((hertz, index) => note(audio, hertz, audio.currentTime + (round * 3 + index) * NOTE_SECONDS));
  }
}

function note(audio: AudioContext, hertz: number, at: number): void {
  const tone = new OscillatorNode(audio, { type: "sine", frequency: hertz });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setTargetAtTime(LOUDNESS, at, 0.01);
  gain.gain.setTargetAtTime(0, at + NOTE_SECONDS * 0.7, 0.03);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + NOTE_SECONDS * 2);
}
