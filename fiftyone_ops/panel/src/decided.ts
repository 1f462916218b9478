// What a decision makes of a clip, drawn while Python stores it.

import { idOfDecision } from "./segments";
import type { Clip, Review, Segment } from "./types";

/** A decision as Python takes it (fiftyone_ops/tasks/decision.py). */
export interface Decision {
  action: string;
  label_id?: string;
  start_s?: number;
  end_s?: number;
  modality?: string;
  note?: string;
}

const UNKNOWN: Review = { label: "open", by: "…", at: "…", decided: {}, num_decisions: 0, notes: {} };

/** The clip after a decision, as far as that can be told without Python. */
export function decidedClip(clip: Clip, decision: Decision): Clip {
  const { action, label_id = "", note = "", ...changes } = decision;
  const before = clip.review ?? UNKNOWN;
  const review = { ...before, num_decisions: before.num_decisions + 1 };
  const isPredicted = clip.predicted.some(({ id }) => id === label_id);
  const decided = (word: string) =>
    isPredicted ? { ...review.decided, [label_id]: word } : review.decided;
  const others = (clip.reviewed ?? []).filter((segment) => idOfDecision(segment) !== label_id);
  switch (action) {
    case "accept":
    case "adjust":
    case "relabel": {
      const segment = confirmed(clip, label_id);
      if (!segment) return clip;
      const changed = { ...segment, ...spanOf(changes), label: changes.modality ?? segment.label };
      return { ...clip, reviewed: [...others, changed], review: { ...review, decided: decided("accepted") } };
    }
    case "reject":
      return { ...clip, reviewed: others, review: { ...review, decided: decided("rejected") } };
    case "note":
      return { ...clip, review: { ...review, notes: { ...review.notes, [label_id]: note } } };
    case "add": {
      const { modality = "unknown", start_s = 0, end_s = 0 } = changes;
      const added = { id: "added", label: modality, start_s, end_s, score: null, source: null, words: null };
      return { ...clip, reviewed: [...(clip.reviewed ?? []), added], review };
    }
    default:
      return clip;
  }
}

/** The segment of an id that a person stands by; a prediction is confirmed by changing it. */
function confirmed(clip: Clip, label_id: string): Segment | undefined {
  const reviewed = clip.reviewed?.find((segment) => idOfDecision(segment) === label_id);
  const predicted = clip.predicted.find(({ id }) => id === label_id);
  return reviewed ?? (predicted && { ...predicted, id: `${label_id} confirmed`, source: label_id });
}

function spanOf({ start_s, end_s }: Decision | Omit<Decision, "action">) {
  return { ...(start_s === undefined ? {} : { start_s }), ...(end_s === undefined ? {} : { end_s }) };
}
