/** What went wrong, in the language chosen: the center's RFC 9457 problems, and a center that does not answer. */

import { sayProblem } from "./words";

export interface Problem {
  /** The slug of `urn:haechi:problem:<slug>`; `no-answer` when nothing came back, else `unknown`. */
  kind: string;
  /** The center's own sentence, English; empty when there is none. */
  detail: string;
  errors: { field: string; message: string }[];
}

type Word = Parameters<typeof sayProblem>[0];

const PREFIX = "urn:haechi:problem:";
/** The problem in what the API client gave as an error, or in what was thrown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof TypeError) return { kind: "no-answer", detail: "", errors: [] };
  if (error === null || typeof error !== "object") return { kind: "unknown", detail: String(error ?? ""), errors: [] };
  const { type, detail, title, errors } = error as Record<string, unknown>;
  return {
    kind: typeof type === "string" && type.startsWith(PREFIX) ? type.slice(PREFIX.length) : "unknown",
    detail: typeof detail === "string" ? detail : error instanceof Error ? error.message : typeof title === "string" ? title : "",
    errors: Array.isArray(errors) ? (errors as Problem["errors"]) : [],
  };
}

/** Words for the problem. A kind without words of its own is told as the center's own sentence. */
export function problemWords({ kind, detail }: Problem): string {
  const known = sayProblem(kind as Word) as string | undefined;
  return kind !== "unknown" && known ? known : detail || sayProblem("unknown");
}

/** Words for whatever the API client gave as an error or threw. */
export function problemText(error: unknown): string {
  return problemWords(asProblem(error));
}
