// What Python says to the panels. All times are seconds from the clip's zero.

export interface Stretch {
  start_s: number;
  end_s: number;
}

export interface Segment extends Stretch {
  id: string;
  /** What was altered: audio, visual, both, unknown, or a corpus's own word. */
  label: string;
  score: number | null;
  /** Of what a person stands by: the prediction it came from; null where that was missed. */
  source: string | null;
}

export interface Review {
  /** open as long as a prediction is undecided, then forged or genuine. */
  label: string;
  by: string;
  at: string;
  /** accepted or rejected, by the prediction's id. */
  decided: Record<string, string>;
  num_decisions: number;
}

export interface OptOut extends Stretch {
  reason: string;
}

export interface Modality {
  name: string;
  score: number | null;
  opt_outs: OptOut[];
}

export interface Curves {
  start_s: number;
  stride_s: number;
  /** How many snippets one point stands for; it shows the highest of them. */
  snippets_a_point: number;
  /** By all modalities together; null where none could be judged. */
  score: (number | null)[];
  by_modality: Record<string, (number | null)[]>;
}

export interface Clip {
  sample_id: string;
  field: string;
  name: string;
  duration_s: number;
  /** Where the clip's zero lies on the clock of the file that is played. */
  zero_s: number;
  fps_hz: number | null;
  verdict: string | null;
  reason: string | null;
  score: number | null;
  threshold: number | null;
  modalities: Modality[];
  curves: Curves | null;
  predicted: Segment[];
  reference: Segment[] | null;
  reviewed: Segment[] | null;
  review: Review | null;
}

export interface FrameImage {
  segment_id: string;
  src: string | null;
  caption: string;
}

/** One bar of the histogram: clips with low <= score < high (the last one takes 1 too). */
export interface Bar {
  low: number;
  high: number;
  count: number;
}

export interface Count {
  value: string;
  count: number;
}

export interface Tally {
  kind: string;
  title: string;
  counts: Count[];
}

export interface Overview {
  fields: string[];
  field: string | null;
  num_clips: number;
  bars: Bar[];
  threshold: number | null;
  tallies: Tally[];
}

export interface QueueItem {
  sample_id: string;
  name: string;
  score: number | null;
  /** Where to look. */
  at_s: number[];
}

export interface Reason {
  name: string;
  title: string;
  /** In a sentence. */
  why: string;
  count: number;
}

export interface Queue {
  items: QueueItem[];
  reasons: Reason[];
  num_reviewed: number;
  num_clips: number;
}
