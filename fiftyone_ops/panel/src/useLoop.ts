// The chosen segment, played again and again.

import { useEffect, useState } from "react";
import { eachFrame, type Player } from "./player";
import type { Span } from "./types";

/** The place of the player to go back from, in frames before the end of a segment or clip. */
const EARLY_FRAMES = 1.5;
/** Whoever is further behind the end went there on purpose. */
const BEHIND_S = 0.5;

/** Whether a player that loops over a segment is to go back to its start. */
export function isAtEnd(now_s: number, { end_s }: Span, duration_s: number, fps_hz: number | null) {
  const last_s = Math.min(end_s, duration_s - EARLY_FRAMES / (fps_hz ?? 25));
  return now_s >= last_s && now_s < end_s + BEHIND_S;
}

export function useLoop(
  player: Player,
  segment: Span | null,
  duration_s: number,
  fps_hz: number | null,
) {
  const [isOn, setOn] = useState(false);
  const { start_s, end_s } = segment ?? { start_s: 0, end_s: 0 };
  const loops = isOn && segment !== null;
  useEffect(() => {
    if (!loops) return;
    let left_ms = 0;
    return eachFrame(() => {
      const now_s = player.now();
      // At its end a clip stands still by itself; whoever stopped it anywhere else wants that.
      const stands = !player.isPlaying() && (now_s ?? 0) < duration_s - EARLY_FRAMES / (fps_hz ?? 25);
      if (now_s === null || stands || performance.now() < left_ms) return;
      if (!isAtEnd(now_s, { start_s, end_s }, duration_s, fps_hz)) return;
      player.seek(start_s);
      player.play();
      // Until it is there it still shows where it was.
      left_ms = performance.now() + 200;
    });
  }, [loops, player, start_s, end_s, duration_s, fps_hz]);
  const toggle = () => {
    if (!segment) return;
    setOn(!isOn);
    if (isOn) return;
    player.seek(start_s);
    player.play();
  };
  return { isOn: loops, toggle };
}
