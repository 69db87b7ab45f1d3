/** Who is signed in. `undefined` while that is not known yet, `null` for nobody. */

import { computed, signal } from "@preact/signals";
import { api, type Session } from "../api/client";
import { asProblem, type Problem } from "../api/problem";

export const account = signal<Session | null | undefined>(undefined);

const rights = computed(() => new Set<string>(account.value?.rights ?? []));

export function hasRight(right: string): boolean {
  return rights.value.has(right);
}

/** True after a request that nobody answered, until one is answered. */
export const unreachable = signal(false);

api.use({
  onResponse({ response, schemaPath }) {
    // A proxy's own page says only that the center behind it does not answer.
    if (response.status >= 502 && !response.headers.get("Content-Type")?.includes("problem+json")) {
      unreachable.value = true;
      throw new TypeError(`answered ${response.status} by a proxy`);
    }
    unreachable.value = false;
    // Signed out elsewhere, disabled, another role: whatever page this is, it is over.
    if (response.status === 401 && schemaPath !== "/api/v1/session") account.value = null;
  },
  onError({ error }) {
    if (error instanceof TypeError) unreachable.value = true;
  },
});

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

/** Ask again who is signed in, as after the event stream was refused. */
export async function checkSession(): Promise<void> {
  const answer = await api.GET("/api/v1/session").catch(() => null);
  if (answer?.response.status === 401) account.value = null;
}

/** Signs in; returns what went wrong, or null. */
export async function signIn(name: string, password: string): Promise<Problem | null> {
  try {
    const { data, error } = await api.POST("/api/v1/session", { body: { name, password } });
    if (!data) return asProblem(error);
    account.value = data;
    return null;
  } catch (error) {
    return asProblem(error);
  }
}

/** Changes the own password; returns what went wrong, or null. */
export async function changePassword(current: string, next: string): Promise<Problem | null> {
  try {
    const { response, error } = await api.PUT("/api/v1/session/password", { body: { current, new: next } });
    return response.ok ? null : asProblem(error);
  } catch (error) {
    return asProblem(error);
  }
}

export async function signOut(): Promise<void> {
  await api.DELETE("/api/v1/session").catch(() => undefined);
  account.value = null;
}
