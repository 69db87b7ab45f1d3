import { expect, test } from "vitest";
import { en } from "./en";
import { ko } from "./ko";

test("every word stands in both languages, and Korean is Korean", () => {
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    expect(en[key], key).not.toBe("");
    expect(ko[key], key).toMatch(/[가-힣]/);
  }
});
