import { describe, expect, it } from "vitest";
import { around, centred, lengthOf, panned, revealing, whole, zoomed } from "../src/zoom";

const DURATION_S = 60;
const part = { start_s: 20, end_s: 30 };

describe("the window of time", () => {
  it("keeps what one points at where it is", () => {
    expect(zoomed(part, 0.5, 22, DURATION_S)).toEqual({ start_s: 21, end_s: 26 });
    expect(zoomed(part, 2, 22, DURATION_S)).toEqual({ start_s: 18, end_s: 38 });
  });

  it("never leaves the clip, nor gets shorter than some frames", () => {
    expect(zoomed(part, 100, 22, DURATION_S)).toEqual(whole(DURATION_S));
    expect(lengthOf(zoomed(part, 1e-9, 22, DURATION_S))).toBeCloseTo(0.2, 9);
    expect(zoomed(whole(0.1), 0.5, 0, 0.1)).toEqual(whole(0.1));
    expect(panned(part, 100, DURATION_S)).toEqual({ start_s: 50, end_s: 60 });
    expect(panned(part, -100, DURATION_S)).toEqual({ start_s: 0, end_s: 10 });
    expect(centred(part, 0, DURATION_S)).toEqual({ start_s: 0, end_s: 10 });
  });

  it("fits a segment with room on both sides", () => {
    expect(around({ start_s: 10, end_s: 14 }, DURATION_S)).toEqual({ start_s: 9, end_s: 15 });
    expect(around({ start_s: 0, end_s: 60 }, DURATION_S)).toEqual(whole(DURATION_S));
  });

  it("goes along with a time that leaves it, and stays otherwise", () => {
    expect(revealing(part, 25, DURATION_S)).toBe(part);
    const next = revealing(part, 30.1, DURATION_S);
    expect(next.start_s).toBeLessThan(30.1);
    expect(next.end_s).toBeGreaterThan(38);
  });
});
