// @vitest-environment jsdom
import { expect, test } from "vitest";
import { tables } from ".";

// Pages register their tables when they are imported.
const pages = import.meta.glob(["../**/words.ts", "../**/*-words.ts"]);

test("every word stands in both languages, and Korean is Korean", async () => {
  await Promise.all(Object.values(pages).map((load) => load()));
  expect(tables.length).toBe(1 + Object.keys(pages).length);
  for (const { en, ko } of tables) {
    expect(Object.keys(ko).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en)) {
      expect(en[key], key).not.toBe("");
      expect(ko[key], key).toMatch(/[가-힣]/);
    }
  }
});
