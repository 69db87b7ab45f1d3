import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { TopBar } from "../app/TopBar";
import { word } from "../words";
import { HoldList } from "../holds/HoldList";
import { say as sayHold } from "../holds/words";
import { hasRight } from "../session/session";
import { LedgerFilters } from "./LedgerFilters";
import { LedgerTable } from "./LedgerTable";
import { VerificationPanel } from "./VerificationPanel";
import { cameraNames, loadCameraNames } from "./cameras";
import { filters, nextBefore, readError, readNewest, readOlder, reading, rows } from "./ledger";
import { say } from "./words";
import "./ledger.css";

/** The privacy officer's page: who saw or did what, when, from where and why. */
export function Ledger() {
  useEffect(() => {
    void readNewest();
    void loadCameraNames();
  }, []);
  return (
    <div class="ledger">
      <TopBar title={word("page_ledger")} />
      <main class="ledger-room">
        <VerificationPanel />
        {hasRight("view_holds") && <Holds />}
        <LedgerFilters />
        <Rows />
      </main>
    </div>
  );
}

/** Read when it is opened: it may be long. */
function Holds() {
  const isOpen = useSignal(false);
  return (
    <details class="ledger-holds" data-testid="held" onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>{sayHold("title")}</summary>
      {isOpen.value && <HoldList about={{}} nameOf={(id) => cameraNames.value.get(id) ?? id} />}
    </details>
  );
}

function Rows() {
  const list = rows.value;
  if (list === null) return readError.value ? <ReadFailed /> : <p class="page-note">{say("loading")}</p>;
  const filtered = Object.values(filters.value).some((value) => value !== "");
  return (
    <section class="ledger-rows" aria-busy={reading.value} data-testid="ledger-rows">
      {readError.value && <ReadFailed />}
      {list.length === 0 ? (
        <p class="page-note">{say(filtered ? "empty_filtered" : "empty")}</p>
      ) : (
        <>
          <LedgerTable rows={list} />
          {nextBefore.value === null ? <p class="page-note">{say("end")}</p> : <Older />}
        </>
      )}
    </section>
  );
}

/** Reads on when it comes into sight; a button too, for keyboards and for after a failure. */
function Older() {
  const place = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const watcher = new IntersectionObserver((seen) => {
      if (seen.some((entry) => entry.isIntersecting) && !readError.value) void readOlder();
    });
    if (place.current) watcher.observe(place.current);
    return () => watcher.disconnect();
  }, [nextBefore.value]);
  return (
    <button ref={place} type="button" class="ledger-older" disabled={reading.value} onClick={() => void readOlder()}>
      {say(reading.value ? "loading" : "older")}
    </button>
  );
}

function ReadFailed() {
  return (
    <p class="ledger-failed" role="alert">
      <b>{say("failed")}</b> <small>{readError}</small>
      <button type="button" onClick={() => void (rows.value && nextBefore.value !== null ? readOlder() : readNewest())}>
        {say("try_again")}
      </button>
    </p>
  );
}
