// The App's player of the open sample: its position, and how to change it.
//
// A looker is the App's player. Its video element plays by the clock of the file, so times are
// read from there, to a fraction of a frame; the looker itself counts frames. Sending it
// elsewhere goes through the looker, which alone keeps the App's own cursor in step. Both count
// from the 0 of the file's clock, and all else here from the clip's zero, where its first frame
// or audio is: in a file that was cut out of a longer one that can be seconds later.

import { type Looker, modalLooker } from "@fiftyone/state";
import { useMemo } from "react";
import { useRecoilValue } from "recoil";

export interface Player {
  /** Where the player is, in seconds from the clip's zero; null as long as there is none. */
  now(): number | null;
  seek(time_s: number): void;
  /** Go on, or back, by frames. */
  step(frames: number): void;
  isPlaying(): boolean;
  play(): void;
  /** How many times as fast as it was recorded. */
  speed(): number;
  setSpeed(times: number): void;
}

/** Share of a frame that a time may miss its start by, for rounding, and still mean it. */
const ROUNDING = 0.01;

/** A player that still loads lets a request fall; it is sent again for so long. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 50;

export function playerOf(looker: Looker | null, fps_hz: number | null, zero_s = 0): Player {
  const video = () => {
    try {
      return looker?.getVideo?.() ?? null;
    } catch {
      // Until it is attached to the page a looker has no elements.
      return null;
    }
  };
  let latest = 0;
  const request = (frame: number, left_ms: number, id: number) => {
    const before = looker?.frameNumber;
    looker?.seekToFrame?.(frame);
    setTimeout(() => {
      // Whoever plays, or goes elsewhere meanwhile, is not to be called back.
      const ignored = looker?.frameNumber === before && before !== frame;
      if (ignored && left_ms > 0 && id === latest) request(frame, left_ms - PAUSE_MS, id);
    }, PAUSE_MS);
  };
  const now = () => {
    const element = video();
    return element && element.currentTime - zero_s;
  };
  const seek = (fromZero_s: number) => {
    const time_s = fromZero_s + zero_s;
    if (looker?.seekToFrame && fps_hz) {
      // A looker's frames are numbered from 1.
      request(Math.floor(time_s * fps_hz + ROUNDING) + 1, PATIENCE_MS, ++latest);
      return;
    }
    const element = video();
    if (element) element.currentTime = time_s;
  };
  return {
    now,
    seek,
    step: (frames) => {
      const time_s = now();
      if (time_s !== null && fps_hz) seek(Math.max(0, time_s + frames / fps_hz));
    },
    isPlaying: () => looker?.playing ?? false,
    play: () => looker?.play?.(),
    speed: () => video()?.playbackRate ?? 1,
    setSpeed: (times) => looker?.updateOptions?.({ playbackRate: times }),
  };
}

export function usePlayer(fps_hz: number | null, zero_s: number): Player {
  const looker = useRecoilValue(modalLooker);
  return useMemo(() => playerOf(looker, fps_hz, zero_s), [looker, fps_hz, zero_s]);
}

/** Act at every refresh of the screen, until what is returned is called. */
export function eachFrame(act: () => void): () => void {
  let waiting = 0;
  const turn = () => {
    act();
    waiting = requestAnimationFrame(turn);
  };
  turn();
  return () => cancelAnimationFrame(waiting);
}
