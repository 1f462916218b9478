// The clip of the open sample, as Python tells it.

import { nullableModalSampleId } from "@fiftyone/state";
import { useCallback, useEffect, useRef, useState } from "react";
import { useRecoilValue } from "recoil";
import type { Ask } from "./python";
import type { Clip, FrameImage } from "./said";

export interface OpenClip {
  clip: Clip | null;
  frames: ReadonlyMap<string, FrameImage>;
  problem: string | null;
  /** Let Python do something to the clip, and show what it is then. */
  change(method: string, params: Record<string, unknown>): Promise<Clip | null>;
}

export function useClip(ask: Ask): OpenClip {
  const sampleId = useRecoilValue(nullableModalSampleId);
  const [clip, setClip] = useState<Clip | null>(null);
  const [frames, setFrames] = useState<ReadonlyMap<string, FrameImage>>(new Map());
  const [problem, setProblem] = useState<string | null>(null);
  const open = useRef(sampleId);
  open.current = sampleId;

  const before = useRef<Promise<unknown>>(Promise.resolve());

  // An answer about a sample that is no longer open comes too late.
  const change = useCallback(
    async (method: string, params: Record<string, unknown>) => {
      const asked = open.current;
      if (!asked) return null;
      // Decisions one at a time: two at once would each be taken on what was before both. Nobody
      // waits for a reading: the App loses its answer where it makes the panel anew meanwhile.
      const now = () => ask<Clip>(method, { sample_id: asked, ...params });
      const mine = method === "decide" ? before.current.then(now) : now();
      if (method === "decide") {
        before.current = Promise.race([mine.catch(() => undefined), patience()]);
      }
      try {
        const told = await mine;
        if (open.current !== asked) return null;
        setClip(told);
        setProblem(null);
        return told;
      } catch (error) {
        if (open.current === asked) setProblem((error as Error).message);
        return null;
      }
    },
    [ask],
  );

  useEffect(() => {
    setClip(null);
    setFrames(new Map());
    setProblem(null);
    void change("load", {});
  }, [sampleId, change]);

  const shown = clip && clip.sample_id === sampleId ? clip : null;
  const wanted = shown ? ids(shown) : "";
  useEffect(() => {
    if (!wanted) return;
    const asked = open.current;
    ask<{ frames: FrameImage[] }>("frames", { sample_id: asked })
      .then((told) => {
        if (open.current !== asked) return;
        setFrames(new Map(told.frames.map((frame) => [frame.segment_id, frame])));
      })
      // A clip without frames is still a clip; why there are none is told with each.
      .catch(() => undefined);
  }, [wanted, ask]);

  return { clip: shown, frames, problem, change };
}

/** How long one answer may hold up the next question. */
function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10_000));
}

/** What frames are taken of; new ones are asked for when this changes. */
function ids(clip: Clip): string {
  const segments = [...clip.predicted, ...(clip.reference ?? []), ...(clip.reviewed ?? [])];
  return segments.map(({ id, start_s, end_s }) => `${id}:${start_s}:${end_s}`).join(" ");
}
