// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../words";
import { cameraNames } from "./cameras";
import type { LedgerRow } from "./ledger";
import { actorName, reasonText, subjectText, valueText } from "./row-text";

function row(fields: Partial<LedgerRow>): LedgerRow {
  const empty = { sequence: 1, at: "2026-11-22T00:00:00Z", account: "kim", account_id: "1", address: "10.0.0.7" };
  const rest = { action: "view.live", camera_id: null, incident_id: null, subject: "", reason: "", details: {}, hash: "0" };
  return { ...empty, ...rest, ...fields };
}

beforeEach(() => {
  language.value = "ko";
  cameraNames.value = new Map([["gate", "정문"]]);
});

describe("a row of the ledger", () => {
  it("says a desk as a word, and an account that is called like a desk as it is", () => {
    expect(subjectText(row({ action: "grant.given", subject: "police" }))).toBe("경찰 112");
    expect(subjectText(row({ action: "account.disabled", subject: "police" }))).toBe("police");
  });

  it("says the center's own reasons in words, and a person's as they were written", () => {
    expect(reasonText(row({ reason: "wall" }))).toBe("관제 화면");
    expect(reasonText(row({ reason: "민원 확인" }))).toBe("민원 확인");
    const refused = "no incident dispatched to the police desk opens this camera now";
    expect(reasonText(row({ action: "view.refused", reason: refused }))).toMatch(/창구/);
  });

  it("names cameras and roles in its details, and leaves what it does not know", () => {
    expect(valueText("cameras", ["gate", "gone"])).toBe("정문, gone");
    expect(valueText("after", "mayor")).toBe("시장");
    expect(valueText("radius_meters", 500)).toBe("500");
    expect(valueText("fields", ["zones", "colour"])).toBe("구역과 규칙, colour");
  });

  it("tells the machine from a person", () => {
    expect(actorName(row({ account: "center", account_id: null }))).toBe("관제 서버");
    expect(actorName(row({ account: "center" }))).toBe("center");
  });
});
