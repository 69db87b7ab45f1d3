import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Dialog } from "../app/Dialog";
import type { Camera } from "../api/client";
import { cameras } from "../city/city";
import { en } from "../words/en";
import { ko } from "../words/ko";
import { wordFor } from "../words";
import { found } from "./search";
import { overlay, selectCamera } from "./selection";
import { say } from "./words";

const MOST_SHOWN = 50;

const close = (): void => {
  overlay.value = null;
};

/** A field that finds a camera: arrow keys choose, Enter shows it. */
export function CameraSearch() {
  const typed = useSignal("");
  const chosen = useSignal(0);
  const list = useRef<HTMLUListElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const things = (cameras.value ?? []).map((camera) => ({ id: camera.id, name: camera.name, words: categoryWords(camera), camera }));
  const shown = found(things, typed.value).slice(0, MOST_SHOWN);
  const at = Math.min(chosen.value, shown.length - 1);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const show = (camera: Camera | undefined): void => {
    if (!camera) return;
    close();
    selectCamera(camera.id);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") chosen.value = Math.min(at + 1, shown.length - 1);
    else if (event.key === "ArrowUp") chosen.value = Math.max(at - 1, 0);
    else if (event.key === "Enter") show(shown[at]?.camera);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={say("search")} class="search" onClose={close}>
      <input
        type="text"
        ref={field}
        autocomplete="off"
        placeholder={say("search_hint")}
        aria-label={say("search")}
        role="combobox"
        aria-expanded="true"
        aria-controls="found-cameras"
        {...(shown[at] && { "aria-activedescendant": `found-${shown[at].id}` })}
        data-testid="search"
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        onKeyDown={onKey}
      />
      {shown.length === 0 ? (
        <p class="page-note">{say("search_none")}</p>
      ) : (
        <ul id="found-cameras" class="found" role="listbox" ref={list}>
          {shown.map(({ camera }, index) => (
            <li
              key={camera.id}
              id={`found-${camera.id}`}
              role="option"
              aria-selected={index === at}
              data-found={camera.id}
              onPointerMove={() => (chosen.value = index)}
              onClick={() => show(camera)}
            >
              <span>{camera.name}</span>
              <small>
                {camera.id} · {wordFor("category", camera.category)}
              </small>
              <small data-camera-state={camera.state}>{wordFor("camera", camera.state)}</small>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

function categoryWords(camera: Camera): string[] {
  const key = `category_${camera.category}` as const;
  return [en[key], ko[key], camera.purpose];
}
