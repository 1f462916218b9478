// Generated from fiftyone_ops/responses.py by `npm run types`; do not edit.

/** Changes by a new threshold, in words. */
export interface Applied {
  summary: string;
}

/** Waveform and spectrogram of a span of a clip's audio. */
export interface AudioTile {
  start_s: number;
  end_s: number;
  /** Lowest amplitude of each column, from -127; empty without audio. */
  low: number[];
  /** Highest amplitude of each column, up to 127. */
  high: number[];
  /** Data URI of a picture, 0 Hz at the bottom, 8 kHz on top. */
  spectrogram: string | null;
}

/** A bar of the histogram: clips with low <= score < high (the last one takes 1 too). */
export interface Bar {
  low: number;
  high: number;
  count: number;
}

/** Outcome of a decision about many clips. */
export interface Bulk {
  /** Name to undo it by. */
  batch: string;
  /** Clips that it was taken about, by their ids. */
  decided: string[];
  /** Clips that were left as they were. */
  num_left: number;
  /** Why the first of them was. */
  why_left: string | null;
}

/** Timeline of one clip. */
export interface Clip {
  sample_id: string;
  field: string;
  /** The label fields to choose from, the newest run last. */
  fields: FieldChoice[];
  name: string;
  duration_s: number;
  /** The clip's zero on the clock of the file that is played, in seconds. */
  zero_s: number;
  fps_hz: number | null;
  /** fake, not flagged, abstained or error; null if it was never evaluated. */
  verdict: string | null;
  /** Why there is no score. */
  reason: string | null;
  /** What a reader of the score must know. */
  warnings: string[];
  score: number | null;
  threshold: number | null;
  modalities: Modality[];
  curves: Curves | null;
  predicted: Segment[];
  reference: Segment[] | null;
  reviewed: Segment[] | null;
  /** Segments that a person rejected and that no prediction of now is like. */
  rejected: Segment[];
  review: Review | null;
  beside: OtherRun | null;
}

/** A warning, and the number of clips that carry it. */
export interface ClipWarning {
  text: string;
  count: number;
}

/** Number of clips or segments of one value. */
export interface Count {
  value: string;
  count: number;
}

/** Scores along time. */
export interface Curves {
  start_s: number;
  stride_s: number;
  /** How many snippets one point stands for; it shows the highest of them. */
  snippets_a_point: number;
  /** Of all modalities together; null where none could be evaluated. */
  score: (number | null)[];
  by_modality: Record<string, (number | null)[]>;
}

/** Excerpt of a clip: frames, audio and scores of a short span. */
export interface Excerpt {
  start_s: number;
  end_s: number;
  /** Highest score in the segment, or else in the span, by modality. */
  scores: Record<string, number | null>;
  mouths: Mouth[];
  /** Data URI; null without audio. */
  spectrogram: string | null;
  /** Where the segment begins in it, in percent. */
  left: number;
  /** How much of it the segment fills, in percent. */
  width: number;
}

/** A label field that detection wrote, and whether it evaluated the clip. */
export interface FieldChoice {
  name: string;
  is_evaluated: boolean;
}

/** A frame of a segment as a data URI, or in the caption why there is none. */
export interface FrameImage {
  segment_id: string;
  src: string | null;
  caption: string;
}

/** Frames of the segments of a clip. */
export interface Frames {
  frames: FrameImage[];
}

/** Counts of the clips of one group. */
export interface GroupCounts {
  value: string;
  num_clips: number;
  /** Clips with a score. */
  num_evaluated: number;
  /** Clips that are called fake. */
  num_fake: number;
  /** Clips with a score that the ground truth calls fake. */
  num_true_fake: number;
  num_true_real: number;
  /** Fake clips that are called fake. */
  true_positives: number;
  /** Real clips that are called fake. */
  false_positives: number;
}

/** Score of one modality alone, and its opt-outs. */
export interface Modality {
  name: string;
  score: number | null;
  opt_outs: OptOut[];
}

/** Mouth in one frame as a data URI; null where no face was found. */
export interface Mouth {
  src: string | null;
  /** Time of the frame. */
  caption: string;
  /** Whether that lies within the segment. */
  is_within: boolean;
}

/** A span that a modality could not be evaluated in. */
export interface OptOut {
  start_s: number;
  end_s: number;
  reason: string;
}

/** Prediction of another run for a clip, to be seen beside the one that is reviewed. */
export interface OtherRun {
  field: string;
  verdict: string | null;
  score: number | null;
  threshold: number | null;
  predicted: Segment[];
  curves: Curves | null;
}

/** Histogram and counts of the samples in view. */
export interface Overview {
  num_clips: number;
  /** Clips with a score. */
  num_evaluated: number;
  warnings: ClipWarning[];
  bars: Bar[];
  threshold: number | null;
  tallies: Tally[];
}

/** Average precision (AP) of the segments at each threshold of the table, from stored scores. */
export interface Precisions {
  /** Overlap from which a segment counts as found. */
  tiou: number;
  /** Null where the ground truth has no segment. */
  average_precisions: (number | null)[];
  /** Clips with a ground truth that says where they are fake. */
  num_clips: number;
}

/** Error in words, in place of any other response. */
export interface Problem {
  problem: string;
}

/** The review queue of one reason. */
export interface Queue {
  items: QueueItem[];
  reasons: Reason[];
  num_reviewed: number;
  num_clips: number;
}

/** A clip of the review queue. */
export interface QueueItem {
  sample_id: string;
  name: string;
  verdict: string;
  score: number | null;
  /** Why there is no score. */
  reason: string | null;
  threshold: number | null;
  duration_s: number | null;
  /** Starts of its fake segments. */
  starts_s: number[];
}

/** A reason to look at clips, and how many wait for it. */
export interface Reason {
  name: string;
  title: string;
  description: string;
  count: number;
}

/** State of a clip's review. */
export interface Review {
  /** open as long as a prediction is undecided, then fake or real; or cannot tell or unreadable, which training leaves out. */
  label: string;
  by: string;
  at: string;
  /** accepted or rejected, by the prediction's id. */
  decided: Record<string, string>;
  num_decisions: number;
  /** Notes on segments, by the prediction's id, or else the reviewed segment's. */
  notes: Record<string, string>;
}

/** A fake segment: predicted, reviewed, or of the ground truth. */
export interface Segment {
  start_s: number;
  end_s: number;
  id: string;
  /** Manipulated modality: audio, visual, both, unknown, or a dataset's own word. */
  label: string;
  score: number | null;
  /** Id of the prediction that a reviewed segment is about; null if there is none. */
  source: string | null;
  /** What a transcript says in it. */
  words: string | null;
}

/** A segment with what lies around it, and a part of the clip to compare it with. */
export interface SegmentDetails {
  segment: Excerpt;
  /** The nearest part that is not flagged. */
  comparison: Excerpt | null;
}

/** Part of a clip. */
export interface Span {
  start_s: number;
  end_s: number;
}

/** Counts of the clips in view by the values of a field. */
export interface Statistics {
  by: string;
  /** The fields to choose from. */
  fields: string[];
  /** The largest group first. */
  groups: GroupCounts[];
  /** Smaller groups that are not listed. */
  num_left: number;
}

/** The clip before or after another one; null where that was the first or the last. */
export interface Step {
  sample_id: string | null;
}

/** Label fields of a dataset, and the overview of one of them; null without any. */
export interface Summary {
  fields: string[];
  field: string | null;
  overview: Overview | null;
}

/** Counts of the values of one kind. */
export interface Tally {
  kind: string;
  title: string;
  counts: Count[];
}

/** Verdicts of the clips in view at each threshold; all lists are of one length. */
export interface ThresholdTable {
  thresholds: number[];
  /** Clips with a score. */
  num_clips: number;
  num_fake: number[];
  num_segments: number[];
  /** Fake clips that are called fake. */
  true_positives: number[];
  /** Real clips that are called fake. */
  false_positives: number[];
  /** Clips that the ground truth calls fake. */
  num_true_fake: number;
  num_true_real: number;
}

/** Small frame of a clip as a data URI, or in the caption why there is none. */
export interface Thumbnail {
  src: string | null;
  caption: string;
}
