import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { word } from "../words";
import type { Page } from "./pages";
import { TopBar } from "./TopBar";

type Loaded = { page: ComponentType } | "failed" | null;

/** A page whose code comes when it is opened. */
export function LazyPage({ page }: { page: Page }) {
  const loaded = useSignal<Loaded>(null);
  const load = (): void => {
    loaded.value = null;
    page.load().then(
      (component) => (loaded.value = { page: component }),
      () => (loaded.value = "failed"),
    );
  };
  useEffect(load, []);
  if (loaded.value && loaded.value !== "failed") {
    const Component = loaded.value.page;
    return <Component />;
  }
  return (
    <div class="plain-page">
      <TopBar title={word(page.title)} />
      {loaded.value === "failed" ? (
        <div class="page-note" role="alert">
          <p>{word("page_failed")}</p>
          {/* A browser does not ask again for code that failed once; loading anew does. */}
          <button type="button" onClick={() => location.reload()}>
            {word("try_again")}
          </button>
        </div>
      ) : (
        <p class="page-note">{word("loading")}</p>
      )}
    </div>
  );
}
