// Every change between seconds and places on the screen, and how a person reads a time.

import type { Span } from "./types";

const MAX_TICKS = 8;
const STEPS_S = [
  0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800,
  3600, 7200,
];
const LONG_S = 120;

/** Where a time lies within the window that is shown, in percent of its width. */
export function percent(time_s: number, { start_s, end_s }: Span): number {
  return end_s > start_s ? 100 * clamp((time_s - start_s) / (end_s - start_s), 0, 1) : 0;
}

/** Which time lies under a point of an axis, both from the left edge of the screen. */
export function timeAt(x_px: number, axis: { left: number; width: number }, window: Span) {
  const share = axis.width > 0 ? clamp((x_px - axis.left) / axis.width, 0, 1) : 0;
  return window.start_s + share * (window.end_s - window.start_s);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** The same time at most a tenth of a millisecond off: what is stored need not show more. */
export function rounded(time_s: number): number {
  return Math.round(time_s * 1e4) / 1e4;
}

export interface Tick {
  time_s: number;
  label: string;
}

export function ticks({ start_s, end_s }: Span): Tick[] {
  const length_s = end_s - start_s;
  if (!(length_s > 0)) return [];
  const step_s = STEPS_S.find((step) => length_s / step <= MAX_TICKS) ?? length_s;
  const first = Math.ceil(start_s / step_s - 1e-9);
  const count = Math.floor(end_s / step_s + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, number) => {
    const time_s = Number(((first + number) * step_s).toFixed(3));
    if (end_s < LONG_S) return { time_s, label: `${time_s}` };
    return { time_s, label: step_s < 1 ? clock(time_s) : whole(clock(time_s)) };
  });
}

/** A time as minutes, seconds and hundredths, as the reports of the package write it. */
export function clock(time_s: number): string {
  const hundredths = Math.round(Math.abs(time_s) * 100);
  const rest = hundredths % 6000;
  const seconds = `${Math.floor(rest / 100)}`.padStart(2, "0");
  const sign = time_s < 0 && hundredths > 0 ? "-" : "";
  return `${sign}${Math.floor(hundredths / 6000)}:${seconds}.${`${rest % 100}`.padStart(2, "0")}`;
}

function whole(time: string): string {
  return time.replace(/\..*$/, "");
}
