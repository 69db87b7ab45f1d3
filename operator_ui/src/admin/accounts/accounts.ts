/** The accounts as the center has them, and what an administrator does to them. */

import { signal } from "@preact/signals";
import type { components } from "../../api/schema";
import { api, problemText } from "../../api/client";
import { account as signedIn } from "../../session/session";
import { say, type Role } from "./words";

export type Account = components["schemas"]["AccountView"];

export const accounts = signal<Account[] | null>(null);
export const loadError = signal("");
/** A password that was just made; it is shown until the administrator says to have it. */
export const madePassword = signal<{ name: string; password: string } | null>(null);

// Nothing of it is left for whoever signs in next at this screen.
signedIn.subscribe((person) => {
  if (person) return;
  accounts.value = null;
  madePassword.value = null;
});

export async function loadAccounts(): Promise<void> {
  try {
    const { data, error } = await api.GET("/api/v1/accounts");
    if (data) accounts.value = data.accounts;
    loadError.value = data ? "" : problemText(error);
  } catch (error) {
    loadError.value = problemText(error);
  }
}

/** Makes an account with a password of the center's; returns what went wrong, or null. */
export async function addAccount(name: string, role: Role): Promise<string | null> {
  return attempt(async () => {
    const { data, error } = await api.POST("/api/v1/accounts", { body: { name, role } });
    if (!data) return error;
    if (data.password) madePassword.value = { name: data.account.name, password: data.password };
    return null;
  });
}

export async function changeAccount(id: string, change: { role?: Role; disabled?: boolean }): Promise<string | null> {
  return attempt(async () => {
    const { data, error } = await api.PATCH("/api/v1/accounts/{account_id}", {
      params: { path: { account_id: id } },
      body: change,
    });
    return data ? null : error;
  });
}

export async function renewPassword(account: Account): Promise<string | null> {
  return attempt(async () => {
    const { data, error } = await api.POST("/api/v1/accounts/{account_id}/password", {
      params: { path: { account_id: account.id } },
    });
    if (!data) return error;
    madePassword.value = { name: account.name, password: data.password };
    return null;
  });
}

async function attempt(act: () => Promise<unknown>): Promise<string | null> {
  try {
    const error = await act();
    await loadAccounts();
    return error === null ? null : explained(error);
  } catch (error) {
    return problemText(error);
  }
}

function explained(error: unknown): string {
  const kind = String((error as { type?: unknown } | null)?.type ?? "").replace("urn:haechi:problem:", "");
  if (kind === "last-administrator") return say("last_administrator");
  if (kind === "name-taken" || kind === "account-exists") return say("taken");
  return problemText(error);
}
