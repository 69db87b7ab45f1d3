/** The pages: who may open which, and where a role begins. */

import type { ComponentType } from "preact";
import type { Words } from "../words/en";

export interface Page {
  path: string;
  title: keyof Words;
  right: string;
  /** Whether the page lives on the city's event stream. */
  isLive: boolean;
  load: () => Promise<ComponentType>;
}

export const PAGES: readonly Page[] = [
  { path: "/console", title: "page_console", right: "handle_incidents", isLive: true, load: () => import("../console/Console").then((page) => page.Console) },
  { path: "/desk", title: "page_desk", right: "answer_dispatches", isLive: true, load: () => import("../desk/Desk").then((page) => page.Desk) },
  { path: "/mayor", title: "page_mayor", right: "view_figures+view_live", isLive: true, load: () => import("../mayor/Mayor").then((page) => page.Mayor) },
  { path: "/playback", title: "page_playback", right: "view_recordings", isLive: true, load: () => import("../playback/Playback").then((page) => page.Playback) },
  { path: "/ledger", title: "page_ledger", right: "read_ledger", isLive: false, load: () => import("../ledger/Ledger").then((page) => page.Ledger) },
  { path: "/doctor", title: "page_doctor", right: "view_live", isLive: false, load: () => import("../doctor/Doctor").then((page) => page.Doctor) },
  { path: "/admin", title: "page_admin", right: "manage_accounts", isLive: false, load: () => import("../admin/Admin").then((page) => page.Admin) },
];

const HOMES: Record<string, string> = {
  operator: "/console",
  shift_lead: "/console",
  police_desk: "/desk",
  fire_desk: "/desk",
  mayor: "/mayor",
  privacy_officer: "/ledger",
  administrator: "/admin",
};

interface Person {
  role: string;
  rights: readonly string[];
}

export function mayOpen(page: Page, person: Person): boolean {
  return page.right.split("+").every((right) => person.rights.includes(right));
}

/** The pages a person may open, in their order. */
export function pagesOf(person: Person): Page[] {
  return PAGES.filter((page) => mayOpen(page, person));
}

/** Where a person begins: the home of the role, else the first page the rights open, else nowhere. */
export function homeOf(person: Person): string | null {
  const open = pagesOf(person).map((page) => page.path);
  const home = HOMES[person.role];
  return home && open.includes(home) ? home : (open[0] ?? null);
}

export function pageAt(path: string): Page | undefined {
  return PAGES.find((page) => path === page.path || path.startsWith(`${page.path}/`));
}
