import { signal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { account as signedIn } from "../../session/session";
import { Failed } from "../Failed";
import { followStates } from "../states";
import { say as sayPage } from "../words";
import { CameraForm } from "./CameraForm";
import { CameraRow } from "./CameraRow";
import { CameraSearch } from "./CameraSearch";
import { draftOf, emptyDraft, type CameraDraft } from "./draft";
import { ImportCameras } from "./ImportCameras";
import { found, loadError, loadRegister, register } from "./register";
import { say } from "./words";

type Open = { what: "list" } | { what: "import" } | { what: "form"; draft: Signal<CameraDraft>; isNew: boolean; hasPassword: boolean };

// Outside the component: a form that is half filled in survives a look at another tab.
const open = signal<Open>({ what: "list" });
const toList = (): void => {
  open.value = { what: "list" };
};
signedIn.subscribe((person) => {
  if (!person) toList();
});

export function Cameras() {
  useEffect(() => void loadRegister(), []);
  useEffect(() => followStates(), []);
  const shown = open.value;
  if (shown.what === "form") {
    const { draft, isNew, hasPassword } = shown;
    return <CameraForm key={draft.peek().id} draft={draft} isNew={isNew} hasPassword={hasPassword} onDone={toList} />;
  }
  if (shown.what === "import") return <ImportCameras onDone={toList} />;
  return (
    <section class="admin-section">
      <CameraSearch
        onAdd={() => (open.value = { what: "form", draft: signal(emptyDraft()), isNew: true, hasPassword: false })}
        onImport={() => (open.value = { what: "import" })}
      />
      {loadError.value && <Failed detail={loadError.value} onRetry={() => void loadRegister()} />}
      <CameraList />
    </section>
  );
}

function CameraList() {
  const all = register.value;
  if (all === null) return loadError.value ? null : <p class="page-note">{sayPage("loading")}</p>;
  if (all.length === 0) return <p class="page-note">{say("empty")}</p>;
  if (found.value.length === 0) return <p class="page-note">{say("none_found")}</p>;
  return (
    <ul class="admin-list" data-testid="cameras">
      {found.value.map((camera) => (
        <CameraRow
          key={camera.id}
          camera={camera}
          onEdit={() =>
            (open.value = { what: "form", draft: signal(draftOf(camera)), isNew: false, hasPassword: camera.has_password })
          }
        />
      ))}
    </ul>
  );
}
