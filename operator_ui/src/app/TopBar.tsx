import type { ComponentChildren } from "preact";
import { offline } from "../city/city";
import { word } from "../words";
import { LanguageSwitch } from "../words/LanguageSwitch";
import { AccountMenu } from "./AccountMenu";
import { Clock } from "./Clock";

interface TopBarProps {
  title: string;
  /** The page's figures and switches, between the title and the clock. */
  children?: ComponentChildren;
}

/** The bar on every page; below it the banner while the center does not answer. */
export function TopBar({ title, children }: TopBarProps) {
  return (
    <div class="top">
      <header class="top-bar">
        <img src="/haechi.svg" alt="" width="26" height="26" />
        <strong>Haechi</strong>
        <span class="page-name">{title}</span>
        {children}
        <span class="spring" />
        <Clock />
        <LanguageSwitch />
        <AccountMenu />
      </header>
      {offline.value && (
        <p class="offline" role="alert" data-testid="offline">
          {word("offline")}
        </p>
      )}
    </div>
  );
}
