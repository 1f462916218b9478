import { describe, expect, it } from "vitest";
import { clock, percent, ticks, timeAt } from "../src/timescale";
import { whole } from "../src/zoom";

describe("the axis of time", () => {
  it("puts a time where a click finds it again", () => {
    const axis = { left: 120, width: 880 };
    const window = { start_s: 1.5, end_s: 6 };
    for (const time_s of [1.5, 1.54, 1.9, 5.96, 6]) {
      const x_px = axis.left + (axis.width * percent(time_s, window)) / 100;
      expect(timeAt(x_px, axis, window)).toBeCloseTo(time_s, 9);
    }
  });

  it("holds what lies outside at its ends", () => {
    expect(percent(-1, whole(6))).toBe(0);
    expect(percent(7, whole(6))).toBe(100);
    expect(timeAt(0, { left: 120, width: 880 }, whole(6))).toBe(0);
    expect(timeAt(5000, { left: 120, width: 880 }, whole(6))).toBe(6);
  });

  it("is at zero where a clip has no length", () => {
    expect(percent(1, whole(0))).toBe(0);
    expect(ticks(whole(0))).toEqual([]);
    expect(ticks(whole(Number.NaN))).toEqual([]);
  });

  it.each([0.01, 0.5, 6, 61, 3600, 50_000])("has few marks, all within %d s", (duration_s) => {
    const marks = ticks(whole(duration_s));
    expect(marks.length).toBeGreaterThan(1);
    expect(marks.length).toBeLessThan(10);
    expect(marks.every(({ time_s }) => time_s >= 0 && time_s <= duration_s)).toBe(true);
    expect(new Set(marks.map(({ label }) => label)).size).toBe(marks.length);
  });

  it.each([[3599.2, 3599.9], [3000, 3100], [1.23, 1.43]])("tells the marks of a part apart", (start_s, end_s) => {
    const marks = ticks({ start_s, end_s });
    expect(marks.length).toBeGreaterThan(2);
    expect(marks.every(({ time_s }) => time_s >= start_s && time_s <= end_s)).toBe(true);
    expect(new Set(marks.map(({ label }) => label)).size).toBe(marks.length);
  });

  it("writes times as the package's reports do", () => {
    expect(clock(83.456)).toBe("1:23.46");
    expect(clock(59.999)).toBe("1:00.00");
    expect(clock(-0.5)).toBe("-0:00.50");
    expect(clock(-0.001)).toBe("0:00.00");
  });
});
