// The audio of the clip, tile by tile, as far as it is in sight.

import { useEffect, useRef, useState } from "react";
import type { Call } from "./rpc";
import { nameOf, tilesOf } from "./tiles";
import type { AudioTile, Span } from "./types";

/** Nothing is decoded while one still zooms or pans. */
const REST_MS = 120;
/** Tiles that are kept, all of the open clip. */
const NUM_KEPT = 200;

export interface Audio {
  tiles: readonly AudioTile[];
  problem: string | null;
}

export function useAudio(call: Call, sampleId: string, window: Span): Audio {
  const [audio, setAudio] = useState<Audio>({ tiles: [], problem: null });
  const known = useRef(new Map<string, AudioTile>());
  const { start_s, end_s } = window;
  useEffect(() => {
    let late = false;
    const load = async () => {
      for (const tile of tilesOf({ start_s, end_s })) {
        if (late) return;
        if (known.current.has(nameOf(tile))) continue;
        const loaded = await call<AudioTile>("audio", { sample_id: sampleId, ...tile });
        known.current.set(nameOf(tile), loaded);
        if (known.current.size > NUM_KEPT) known.current.delete([...known.current.keys()][0]!);
        // Short tiles show more, so they lie above long ones.
        const tiles = [...known.current.values()].sort(
          (a, b) => b.end_s - b.start_s - (a.end_s - a.start_s),
        );
        setAudio({ tiles, problem: null });
      }
    };
    const timer = setTimeout(() => {
      load().catch((error: Error) => !late && setAudio({ tiles: [], problem: error.message }));
    }, REST_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [call, sampleId, start_s, end_s]);
  return audio;
}
