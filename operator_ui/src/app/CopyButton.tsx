import { useSignal } from "@preact/signals";
import { words } from "../words";

const say = words({ en: { copy: "Copy", copied: "Copied" }, ko: { copy: "복사", copied: "복사됨" } });

/** Puts a text on the clipboard. A page without TLS may have none: then there is no button, and the text can be marked. */
export function CopyButton({ text }: { text: string }) {
  const copied = useSignal("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      copied.value = text;
    } catch {
      // Refused, or no clipboard outside TLS: the text stands beside the button and can be marked.
      copied.value = "";
    }
  };
  if (!("clipboard" in navigator)) return null;
  return (
    <button type="button" class="copy" onClick={() => void copy()}>
      {say(copied.value === text ? "copied" : "copy")}
    </button>
  );
}
