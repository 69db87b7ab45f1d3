import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { account, signOut } from "../session/session";
import { word, wordFor } from "../words";
import { pagesOf } from "./pages";
import { PasswordDialog } from "./PasswordDialog";
import { followLink, go, path } from "./route";

/** Who is signed in; the pages open to that person, the own password, signing out. */
export function AccountMenu() {
  const isOpen = useSignal(false);
  const changes = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen.value) return;
    const onDown = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) isOpen.value = false;
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      isOpen.value = false;
    };
    addEventListener("pointerdown", onDown);
    addEventListener("keydown", onKey, true);
    return () => {
      removeEventListener("pointerdown", onDown);
      removeEventListener("keydown", onKey, true);
    };
  }, [isOpen.value]);
  const person = account.value;
  if (!person) return null;
  return (
    <div class="account-menu" ref={box}>
      <button
        type="button"
        aria-haspopup="true"
        aria-expanded={isOpen.value}
        data-testid="account"
        title={wordFor("role", person.role)}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        {person.name}
      </button>
      {isOpen.value && (
        <div class="menu" data-testid="account-menu">
          <p>
            <b>{person.name}</b>
            <small>{wordFor("role", person.role)}</small>
          </p>
          {pagesOf(person).map((page) => (
            <a
              key={page.path}
              href={page.path}
              aria-current={path.value.startsWith(page.path) ? "page" : undefined}
              onClick={(event) => {
                isOpen.value = false;
                followLink(event);
              }}
            >
              {word(page.title)}
            </a>
          ))}
          <hr />
          <button type="button" data-testid="change-password" onClick={() => ((isOpen.value = false), (changes.value = true))}>
            {word("change_password")}
          </button>
          <button type="button" data-testid="sign-out" onClick={() => void signOut().then(() => go("/", "replace"))}>
            {word("sign_out")}
          </button>
        </div>
      )}
      {changes.value && <PasswordDialog onClose={() => (changes.value = false)} />}
    </div>
  );
}
