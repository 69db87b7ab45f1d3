import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { TopBar } from "../app/TopBar";
import { word } from "../words";
import { Accounts } from "./accounts/Accounts";
import { Cameras } from "./cameras/Cameras";
import { Health } from "./Health";
import { say } from "./words";
import "./admin.css";

const TABS = { cameras: Cameras, accounts: Accounts, health: Health } as const;
type Tab = keyof typeof TABS;

const tab = signal<Tab>(tabOf(location.hash));

function tabOf(hash: string): Tab {
  const name = hash.slice(1);
  return name in TABS ? (name as Tab) : "cameras";
}

/** The administrator's page: accounts, cameras, health. There is no picture on it. */
export function Admin() {
  useEffect(() => {
    const onHash = (): void => {
      tab.value = tabOf(location.hash);
    };
    onHash();
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  const Page = TABS[tab.value];
  return (
    <div class="admin">
      <TopBar title={word("page_admin")} />
      <nav class="admin-tabs" aria-label={word("page_admin")}>
        {(Object.keys(TABS) as Tab[]).map((name) => (
          <a key={name} href={`#${name}`} aria-current={tab.value === name ? "page" : undefined} data-tab={name}>
            {say(`tab_${name}`)}
          </a>
        ))}
        <small>{say("no_video")}</small>
      </nav>
      <main class="admin-room">
        <Page />
      </main>
    </div>
  );
}
