import { expect, test } from "vitest";
import { homeOf, mayOpen, pageAt, pagesOf, PAGES } from "./pages";

const OPERATOR = ["signed_in", "view_cameras", "view_live", "view_recordings", "view_incidents", "handle_incidents", "view_figures"];
const paths = (role: string, rights: string[]): string[] => pagesOf({ role, rights }).map((page) => page.path);

test("a role begins at its home", () => {
  expect(homeOf({ role: "operator", rights: OPERATOR })).toBe("/console");
  expect(homeOf({ role: "mayor", rights: ["view_cameras", "view_live", "view_incidents", "view_figures"] })).toBe("/mayor");
  expect(homeOf({ role: "administrator", rights: ["view_cameras", "manage_accounts", "manage_cameras"] })).toBe("/admin");
});

test("a role this page does not know begins where its rights lead, or nowhere", () => {
  expect(homeOf({ role: "visitor", rights: ["read_ledger"] })).toBe("/ledger");
  expect(homeOf({ role: "visitor", rights: ["signed_in"] })).toBeNull();
});

test("figures alone do not open the mayor's pictures", () => {
  expect(paths("privacy_officer", ["view_cameras", "view_figures", "read_ledger"])).toEqual(["/ledger"]);
  expect(paths("operator", OPERATOR)).toEqual(["/console", "/mayor", "/playback", "/doctor"]);
});

test("a path below a page belongs to the page, a look-alike does not", () => {
  expect(pageAt("/desk/incident")?.path).toBe("/desk");
  expect(pageAt("/desks")).toBeUndefined();
  expect(PAGES.every((page) => !mayOpen(page, { role: "x", rights: [] }))).toBe(true);
});
