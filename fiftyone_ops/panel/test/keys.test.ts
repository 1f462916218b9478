import { expect, it } from "vitest";
import { actionOf, keyOf, SHORTCUTS } from "../src/keys";

/** What the App does with a key while a sample is open, as its own help lists them. */
const APPS = ["Escape", " ", "Shift", "<", ">", ",", ".", "+", "=", "-", "_", "/", "?", ..."0123456789cfjlmprsxz"];
const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

it("takes none of the App's keys, and each of its own once", () => {
  const keys = Object.values(SHORTCUTS).map(({ key }) => key);
  expect(keys.filter((key) => APPS.includes(key) || key.startsWith("Arrow"))).toEqual([]);
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of APPS) expect(actionOf({ key, ...plain })).toBeNull();
});

it("leaves the browser's own keys alone", () => {
  expect(actionOf({ key: "a", ...plain })).toBe("accept");
  expect(actionOf({ key: "A", ...plain })).toBe("accept");
  expect(actionOf({ key: "PageDown", ...plain })).toBe("nextClip");
  expect(actionOf({ key: "a", ...plain, ctrlKey: true })).toBeNull();
  expect(actionOf({ key: "Enter", ...plain, shiftKey: true })).toBeNull();
  // Some keyboards have signs only with Shift.
  expect(actionOf({ key: "'", ...plain, shiftKey: true })).toBe("note");
  expect(keyOf("start")).toBe("[");
  expect(keyOf("nextClip")).toBe("PgDn");
});
