/** Words of the interface. One flat table a language; English is the fallback and the type. */

import { signal } from "@preact/signals";
import { en, type Words } from "./en";
import { ko } from "./ko";

export type Language = "en" | "ko";

const stored = localStorage.getItem("haechi.language");
export const language = signal<Language>(stored === "ko" || stored === "en" ? stored : navigator.language.startsWith("ko") ? "ko" : "en");

language.subscribe((value) => {
  document.documentElement.lang = value;
  localStorage.setItem("haechi.language", value);
});

export function word(key: keyof Words): string {
  return (language.value === "ko" ? ko : en)[key];
}

type Table = Record<string, string>;

/** Every table there is, so that a test can go through them all. */
export const tables: { en: Table; ko: Table }[] = [{ en, ko }];

/** A page's own words: `const say = words({ en: {…}, ko: {…} })`, then `say("key")` in the language chosen. */
export function words<T extends Table>(table: { en: T; ko: Record<keyof T, string> }): (key: keyof T & string) => string {
  tables.push(table as { en: Table; ko: Table });
  return (key) => (language.value === "ko" ? table.ko : table.en)[key];
}

/** Word for a value that comes from the API; the value itself when there is none. */
export function wordFor(prefix: string, value: string): string {
  const key = `${prefix}_${value}`;
  return key in en ? word(key as keyof Words) : value;
}

export function clock(at: string): string {
  return new Date(at).toLocaleTimeString(language.value === "ko" ? "ko-KR" : "en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}

/** As `dayAndTime`, with the year, and with the seconds where they matter. */
export function dateAndTime(at: string, withSeconds = false): string {
  return new Date(at).toLocaleString(language.value === "ko" ? "ko-KR" : "en-GB", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: withSeconds ? "2-digit" : undefined,
    hourCycle: "h23",
  });
}

/** A person's date and time of day, as `11.22. 09:05` in Korean. */
export function dayAndTime(at: string): string {
  return new Date(at).toLocaleString(language.value === "ko" ? "ko-KR" : "en-GB", {
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  });
}
