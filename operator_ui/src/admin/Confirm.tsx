import type { ComponentChildren } from "preact";
import { Dialog } from "../app/Dialog";
import { say } from "./words";

interface Question {
  title: string;
  children?: ComponentChildren;
  action: string;
  danger?: boolean;
  onYes: () => void;
  onNo: () => void;
}

/** A question that must be answered before something is done; Escape is no. */
export function Confirm({ title, children, action, danger, onYes, onNo }: Question) {
  return (
    <Dialog title={title} onClose={onNo} class="admin-question">
      {children}
      <p class="admin-buttons">
        <button type="button" onClick={onNo}>
          {say("cancel")}
        </button>
        <button type="button" class={danger ? "danger" : "primary"} onClick={onYes} data-testid="confirm">
          {action}
        </button>
      </p>
    </Dialog>
  );
}
