import { problemWords, type Problem } from "./problem";

/** A problem where it happened: words in the language chosen, the center's own sentence as small print. */
export function ProblemNote({ problem }: { problem: Problem | null }) {
  if (!problem) return null;
  const text = problemWords(problem);
  return (
    <p class="problem" role="alert" data-problem={problem.kind}>
      {text}
      {problem.detail && problem.detail !== text && <small>{problem.detail}</small>}
    </p>
  );
}
