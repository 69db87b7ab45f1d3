import { Dialog } from "../app/Dialog";
import { overlay } from "./selection";
import { say } from "./words";

type Word = Parameters<typeof say>[0];

const KEYS: readonly [string[], Word][] = [
  [["j", "k", "↓", "↑"], "key_next"],
  [["Enter"], "key_open"],
  [["a"], "key_acknowledge"],
  [["t"], "key_take_over"],
  [["d"], "key_dispatch"],
  [["1", "2", "3"], "key_verdict"],
  [["n"], "key_note"],
  [["Esc"], "key_back"],
  [["/", "Ctrl K"], "key_search"],
  [["Alt 1 – 7"], "key_layout"],
  [["PgUp", "PgDn"], "key_page"],
  [["?"], "key_help"],
];

export function Help() {
  return (
    <Dialog title={say("help")} class="help" onClose={() => (overlay.value = null)}>
      <dl class="keys" data-testid="help">
        {KEYS.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{say(meaning)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
