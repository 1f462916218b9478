// The clip of the open sample, as Python responds it.

import { nullableModalSampleId } from "@fiftyone/state";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useRecoilValue } from "recoil";
import { type Decision, decidedClip } from "./decided";
import { reviewState } from "./reviewState";
import type { Call } from "./rpc";
import type { Clip, FrameImage, Frames } from "./types";

export interface OpenClip {
  clip: Clip | null;
  frames: ReadonlyMap<string, FrameImage>;
  problem: string | null;
  /** Let a method of Python change the clip, and show its response. */
  change(method: string, params: Record<string, unknown>): Promise<Clip | null>;
}

export function useClip(call: Call): OpenClip {
  const sampleId = useRecoilValue(nullableModalSampleId);
  const [stored, setStored] = useState<Clip | null>(null);
  const [pending, setPending] = useState<readonly Decision[]>([]);
  const [frames, setFrames] = useState<ReadonlyMap<string, FrameImage>>(new Map());
  const [problem, setProblem] = useState<string | null>(null);
  const open = useRef(sampleId);
  open.current = sampleId;

  const before = useRef<Promise<unknown>>(Promise.resolve());

  // A response about a sample that is no longer open is not shown.
  const change = useCallback(
    async (method: string, params: Record<string, unknown>) => {
      const requested = open.current;
      if (!requested) return null;
      // Decisions one at a time: two at once would each be taken on what was before both. Nobody
      // waits for a reading: the App loses its response where it makes the panel anew meanwhile.
      const now = () => call<Clip>(method, { sample_id: requested, beside: reviewState.beside, ...params });
      const isDecision = method === "decide";
      const decision = params.decision as Decision;
      const mine = isDecision ? before.current.then(now) : now();
      const settle = () => setPending((all) => all.filter((other) => other !== decision));
      if (isDecision) {
        // Drawn at once, and stored behind it.
        setPending((all) => [...all, decision]);
        const answer = mine.then(() => true, () => true);
        before.current = Promise.race([answer, patience()]);
        // The App loses a response where it makes the panel anew; what was decided is read then.
        void before.current.then((isAnswered) => {
          if (isAnswered) return;
          settle();
          void change("load", { field: params.field });
        });
      }
      try {
        const response = await mine;
        if (open.current === requested) {
          setStored(response);
          setProblem(null);
        }
        return response;
      } catch (error) {
        if (open.current === requested) setProblem((error as Error).message);
        return null;
      } finally {
        if (isDecision) settle();
      }
    },
    [call],
  );

  useEffect(() => {
    setStored(null);
    setPending([]);
    setFrames(new Map());
    setProblem(null);
    void change("load", {});
  }, [sampleId, change]);

  const current = useMemo(
    () => (stored && stored.sample_id === sampleId ? pending.reduce(decidedClip, stored) : null),
    [stored, pending, sampleId],
  );
  // Those that are not stored yet are not known by their ids.
  const keys = stored && current ? frameKeys(stored) : "";
  const field = current?.field;
  useEffect(() => {
    if (!keys) return;
    const requested = open.current;
    call<Frames>("frames", { sample_id: requested, field })
      .then((response) => {
        if (open.current !== requested) return;
        setFrames(new Map(response.frames.map((frame) => [frame.segment_id, frame])));
      })
      // A clip without frames is still a clip; each caption says why there is none.
      .catch(() => undefined);
  }, [keys, field, call]);

  return { clip: current, frames, problem, change };
}

/** How long one response may hold up the next call. */
function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10_000));
}

/** Keys of the segments that frames are taken of; new ones are loaded when this changes. */
function frameKeys(clip: Clip): string {
  const segments = [...clip.predicted, ...(clip.reference ?? []), ...(clip.reviewed ?? [])];
  return segments.map(({ id, start_s, end_s }) => `${id}:${start_s}:${end_s}`).join(" ");
}
