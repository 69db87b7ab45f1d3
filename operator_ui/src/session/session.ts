/** Who is signed in. `undefined` while that is not known yet, `null` for nobody. */

import { signal } from "@preact/signals";
import { api, problemText } from "../api/client";

export interface Account {
  name: string;
}

export const account = signal<Account | null | undefined>(undefined);

export async function restoreSession(): Promise<void> {
  for (;;) {
    try {
      const { data } = await api.GET("/api/v1/session");
      account.value = data ?? null;
      return;
    } catch {
      // The center does not answer (yet): try again rather than ask for a password that cannot be checked.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

/** Signs in; returns what went wrong, or null. */
export async function signIn(name: string, password: string): Promise<string | null> {
  try {
    const { data, error } = await api.POST("/api/v1/session", { body: { name, password } });
    if (!data) return problemText(error);
    account.value = data;
    return null;
  } catch (error) {
    return problemText(error);
  }
}

export async function signOut(): Promise<void> {
  await api.DELETE("/api/v1/session").catch(() => undefined);
  account.value = null;
}
