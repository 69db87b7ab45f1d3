/** The rows of the ledger as they were read: newest first, a page at a time, with filters. */

import { signal } from "@preact/signals";
import type { components } from "../api/schema";
import { api, problemText } from "../api/client";
import { account as signedIn } from "../session/session";

export type LedgerRow = components["schemas"]["LedgerRowView"];
export type Verification = components["schemas"]["VerificationView"];

export interface Filters {
  account: string;
  action: string;
  camera: string;
  incident: string;
}

const NO_FILTERS: Filters = { account: "", action: "", camera: "", incident: "" };
const PAGE = 60;

export const filters = signal<Filters>(NO_FILTERS);
export const rows = signal<LedgerRow[] | null>(null);
export const nextBefore = signal<number | null>(null);
export const readError = signal("");
export const reading = signal(false);
export const verification = signal<Verification | "running" | null>(null);
export const verificationError = signal("");

let turn = 0;

// Nothing of it is left for whoever signs in next at this screen.
signedIn.subscribe((person) => {
  if (person) return;
  turn += 1;
  reading.value = false;
  rows.value = null;
  filters.value = NO_FILTERS;
  verification.value = null;
});

/** Read the newest rows that fit the filters; what was shown stays until they are there. */
export async function readNewest(): Promise<void> {
  const mine = ++turn;
  reading.value = true;
  const page = await readPage(null);
  if (mine !== turn) return;
  reading.value = false;
  if (!page) return;
  rows.value = page.rows;
  nextBefore.value = page.next_before ?? null;
}

/** Read the rows before the oldest one shown. */
export async function readOlder(): Promise<void> {
  if (reading.value || nextBefore.value === null || rows.value === null) return;
  const mine = turn;
  reading.value = true;
  const page = await readPage(nextBefore.value);
  if (mine !== turn) return;
  reading.value = false;
  if (!page) return;
  rows.value = [...rows.value, ...page.rows];
  nextBefore.value = page.next_before ?? null;
}

async function readPage(before: number | null) {
  const chosen = Object.fromEntries(Object.entries(filters.value).filter(([, value]) => value !== ""));
  try {
    const { data, error } = await api.GET("/api/v1/ledger", {
      params: { query: { limit: PAGE, ...(before === null ? {} : { before }), ...chosen } },
    });
    readError.value = data ? "" : problemText(error);
    return data ?? null;
  } catch (error) {
    readError.value = problemText(error);
    return null;
  }
}

export function setFilters(change: Partial<Filters>): void {
  filters.value = { ...filters.value, ...change };
  void readNewest();
}

export function clearFilters(): void {
  filters.value = NO_FILTERS;
  void readNewest();
}

/** Have the center go through the whole chain. */
export async function verify(): Promise<void> {
  verification.value = "running";
  verificationError.value = "";
  try {
    const { data, error } = await api.GET("/api/v1/ledger/verification");
    verification.value = data ?? null;
    verificationError.value = data ? "" : problemText(error);
  } catch (error) {
    verification.value = null;
    verificationError.value = problemText(error);
  }
}
