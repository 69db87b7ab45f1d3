import { wordFor } from "../../words";
import { found, register, search } from "./register";
import { CATEGORIES, say, STATES } from "./words";

export function CameraSearch({ onAdd, onImport }: { onAdd: () => void; onImport: () => void }) {
  const { text, category, state } = search.value;
  return (
    <header class="camera-search">
      <input
        type="search"
        name="search"
        value={text}
        placeholder={say("search")}
        aria-label={say("search")}
        onInput={(event) => (search.value = { ...search.value, text: event.currentTarget.value })}
      />
      <select
        name="category"
        value={category}
        aria-label={say("category")}
        onChange={(event) => (search.value = { ...search.value, category: event.currentTarget.value })}
      >
        <option value="">{say("all_categories")}</option>
        {CATEGORIES.map((one) => (
          <option key={one} value={one}>
            {wordFor("category", one)}
          </option>
        ))}
      </select>
      <select
        name="state"
        value={state}
        aria-label={say("state")}
        onChange={(event) => (search.value = { ...search.value, state: event.currentTarget.value })}
      >
        <option value="">{say("all_states")}</option>
        {STATES.map((one) => (
          <option key={one} value={one}>
            {wordFor("camera", one)}
          </option>
        ))}
      </select>
      <span class="camera-count" data-testid="camera-count">
        <b>{found.value.length}</b>/{register.value?.length ?? "…"} {say("count")}
      </span>
      <span class="camera-buttons">
        <button type="button" data-testid="import-cameras" onClick={onImport}>
          {say("import")}
        </button>
        <a class="button" href="/api/v1/register/export" download="cameras.yaml" title={say("export_note")}>
          {say("export")}
        </a>
        <button type="button" class="primary" data-testid="add-camera" onClick={onAdd}>
          {say("add")}
        </button>
      </span>
    </header>
  );
}
