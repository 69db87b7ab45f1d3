/** What a key means in the console. By place on the keyboard, so that it holds with a Korean layout too. Pure. */

import type { Verdict } from "../api/client";
import { LAYOUTS } from "./layout";

export type Command =
  | { name: "next" | "previous" | "acknowledge" | "take-over" | "dispatch" | "note" | "back" | "search" | "help" | "next-page" | "previous-page" }
  | { name: "verdict"; verdict: Verdict }
  | { name: "layout"; tiles: number };

export interface Pressed {
  code: string;
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  isComposing: boolean;
  repeat: boolean;
}

const PLAIN: Record<string, Command> = {
  KeyJ: { name: "next" },
  ArrowDown: { name: "next" },
  KeyK: { name: "previous" },
  ArrowUp: { name: "previous" },
  KeyA: { name: "acknowledge" },
  KeyT: { name: "take-over" },
  KeyD: { name: "dispatch" },
  KeyN: { name: "note" },
  Escape: { name: "back" },
  PageDown: { name: "next-page" },
  PageUp: { name: "previous-page" },
  Digit1: { name: "verdict", verdict: "real" },
  Digit2: { name: "verdict", verdict: "false" },
  Digit3: { name: "verdict", verdict: "unsure" },
};
const REPEATS = new Set(["next", "previous", "next-page", "previous-page"]);

/** Null when the key is not ours. `isTyping`: the focus is in a text field, where only Escape and Ctrl+K are. */
export function commandOf(pressed: Pressed, isTyping: boolean): Command | null {
  if (pressed.isComposing) return null;
  if ((pressed.ctrlKey || pressed.metaKey) && !pressed.altKey) {
    return pressed.code === "KeyK" ? { name: "search" } : null;
  }
  if (isTyping) return pressed.key === "Escape" ? { name: "back" } : null;
  if (pressed.altKey) {
    const chosen = /^Digit([1-9])$/.exec(pressed.code);
    const tiles = chosen && LAYOUTS[Number(chosen[1]) - 1]?.tiles;
    return tiles ? { name: "layout", tiles } : null;
  }
  if (pressed.key === "?") return { name: "help" };
  if (pressed.key === "/") return { name: "search" };
  if (pressed.shiftKey) return null;
  const command = PLAIN[pressed.code] ?? null;
  return command && pressed.repeat && !REPEATS.has(command.name) ? null : command;
}
