import { useSignal } from "@preact/signals";
import { say as sayPage } from "../words";
import { importYaml, type ImportResult, type Refused } from "./register";
import { say } from "./words";

type Outcome = ImportResult | Refused;

/** Import from YAML in two steps: what would change, then doing it. */
export function ImportCameras({ onDone }: { onDone: () => void }) {
  const yaml = useSignal("");
  const looked = useSignal<Outcome | null>(null);
  const done = useSignal(false);
  const busy = useSignal(false);

  async function run(dryRun: boolean): Promise<void> {
    busy.value = true;
    looked.value = await importYaml(yaml.value, dryRun);
    busy.value = false;
    done.value = !dryRun && !("detail" in looked.value);
  }
  const setText = (text: string): void => {
    yaml.value = text;
    looked.value = null;
    done.value = false;
  };
  const canDo = looked.value !== null && !("detail" in looked.value) && !done.value && changes(looked.value) > 0;
  return (
    <section class="admin-section import" data-testid="import">
      <h1>{say("import_title")}</h1>
      <p class="quiet-text">{say("import_text")}</p>
      <label class="button import-file">
        {say("import_file")}
        <input class="label-only" type="file" accept=".yaml,.yml,text/yaml" onChange={(event) => void event.currentTarget.files?.[0]?.text().then(setText)} />
      </label>
      <label class="field">
        {say("import_paste")}
        <textarea name="yaml" rows={12} spellcheck={false} value={yaml.value} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      {looked.value && <Shown outcome={looked.value} done={done.value} />}
      <p class="admin-buttons">
        <button type="button" onClick={onDone}>
          {sayPage(done.value ? "close" : "cancel")}
        </button>
        <button type="button" disabled={busy.value || yaml.value.trim() === "" || done.value} data-testid="import-look" onClick={() => void run(true)}>
          {say("import_look")}
        </button>
        <button type="button" class="primary" disabled={busy.value || !canDo} data-testid="import-do" onClick={() => void run(false)}>
          {say("import_do")}
        </button>
      </p>
    </section>
  );
}

function changes(result: ImportResult): number {
  return result.added.length + result.changed.length;
}

function Shown({ outcome, done }: { outcome: Outcome; done: boolean }) {
  if ("detail" in outcome) {
    return (
      <div class="admin-failed" role="alert" data-testid="import-faults">
        <b>{say("import_faults")}</b>
        {outcome.faults.length === 0 && <span>{outcome.detail}</span>}
        {outcome.faults.map((fault) => (
          <span key={`${fault.camera} ${fault.field} ${fault.message}`}>
            {fault.camera && <b>{fault.camera}</b>} <code>{fault.field}</code> {fault.message}
            {fault.line != null && <small> ({say("import_line")} {fault.line})</small>}
          </span>
        ))}
      </div>
    );
  }
  return (
    <div class="admin-card import-result" role="status" data-testid="import-result" data-done={done}>
      {done && <b>{say("import_done")}</b>}
      <dl>
        {(["added", "changed", "unchanged"] as const).map((part) => (
          <div key={part} data-part={part}>
            <dt>
              {say(`import_${part}`)} <b>{outcome[part].length}</b>
            </dt>
            <dd>{outcome[part].join(", ") || say("import_none")}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
