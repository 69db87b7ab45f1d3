// @vitest-environment jsdom
import { afterEach, expect, test } from "vitest";
import { language, tables } from "../words";
import known from "./reasons.json";
import { reasonText } from "./reasons";

afterEach(() => {
  language.value = "en";
});

test("a reason that is known is told in Korean, another one as it came, and in English both", () => {
  const refused = "connection refused at 192.0.2.1:554; check the port and that RTSP is switched on";
  expect(reasonText(refused)).toBe(refused);
  language.value = "ko";
  expect(reasonText(refused)).toContain("거부");
  expect(reasonText("something new")).toBe("something new");
  expect(reasonText("")).toBe("");
});

test("every part has its word", () => {
  const words = tables.find(({ en }) => "name_unknown" in en);
  expect(known.filter(([, name]) => !(name! in words!.ko))).toEqual([]);
});
