import { useEffect } from "preact/hooks";
import { account, signOut } from "../session/session";
import { LanguageSwitch } from "../words/LanguageSwitch";
import { word } from "../words";
import { AlarmRail } from "./AlarmRail";
import { cameras, follow, offline, openIncidents } from "../city/city";
import { Clock } from "./Clock";
import { Stage } from "./Stage";
import { clearSelection, selected } from "./selection";
import { Wall } from "./Wall";

export function Console() {
  useEffect(() => follow(), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape") clearSelection();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  return (
    <div class="console">
      <TopBar />
      {offline.value && (
        <p class="offline" role="alert">
          {word("offline")}
        </p>
      )}
      <main class={selected.value ? "watch with-stage" : "watch"}>
        {selected.value && <Stage />}
        <Wall />
      </main>
      <AlarmRail />
    </div>
  );
}

function TopBar() {
  const all = cameras.value ?? [];
  const live = all.filter((camera) => camera.state === "live").length;
  return (
    <header class="top-bar">
      <img src="/haechi.svg" alt="" width="26" height="26" />
      <strong>Haechi</strong>
      <span class="page-name">{word("console")}</span>
      <span class={live === all.length ? "figure good" : "figure bad"} data-testid="live-count">
        <b>
          {live}/{all.length}
        </b>{" "}
        {word("cameras")} {word("live")}
      </span>
      <span class="figure" data-testid="open-count">
        <b>{openIncidents.value.length}</b> {word("open_alarms")}
      </span>
      <span class="spring" />
      <Clock />
      <LanguageSwitch />
      <span class="account">{account.value?.name}</span>
      <button type="button" onClick={() => void signOut()}>
        {word("sign_out")}
      </button>
    </header>
  );
}
