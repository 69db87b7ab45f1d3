import { word } from "../words";
import { followLink } from "./route";
import { TopBar } from "./TopBar";

/** A path that is not this person's, or that leads nowhere. */
export function Refusal({ home, isKnown }: { home: string | null; isKnown: boolean }) {
  return (
    <div class="plain-page">
      <TopBar title="" />
      <main class="refusal" data-testid="refusal">
        <h1>{word(isKnown ? "page_not_yours" : "page_unknown")}</h1>
        <p>{word(isKnown ? "page_not_yours_why" : "page_unknown_why")}</p>
        {home && (
          <a class="button primary" href={home} onClick={followLink}>
            {word("to_home")}
          </a>
        )}
      </main>
    </div>
  );
}
