// Every change between seconds and places on the screen, and how a person reads a time.

const MAX_TICKS = 8;
const STEPS_S = [
  0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800,
  3600, 7200,
];
const LONG_S = 120;

/** Where a time lies on an axis of that length, in percent of its width. */
export function percent(time_s: number, duration_s: number): number {
  return duration_s > 0 ? 100 * clamp(time_s / duration_s, 0, 1) : 0;
}

/** Which time lies under a point of an axis, both from the left edge of the screen. */
export function timeAt(x_px: number, axis: { left: number; width: number }, duration_s: number) {
  return axis.width > 0 ? clamp((x_px - axis.left) / axis.width, 0, 1) * duration_s : 0;
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

export function ticks(duration_s: number): Tick[] {
  if (!(duration_s > 0)) return [];
  const step_s = STEPS_S.find((step) => duration_s / step <= MAX_TICKS) ?? duration_s;
  const count = Math.floor(duration_s / step_s + 1e-9) + 1;
  return Array.from({ length: count }, (_, number) => {
    const time_s = Number((number * step_s).toFixed(3));
    return { time_s, label: duration_s < LONG_S ? `${time_s}` : whole(clock(time_s)) };
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
