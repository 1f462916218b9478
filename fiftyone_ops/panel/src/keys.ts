// Shortcuts of the timeline. None of them is one of the App's own while a sample is open, which are
// listed there under "?": Esc Space Shift , . + - / ? 0-9 the arrows c f j l m p r s x z.

export type Action =
  | "previous"
  | "next"
  | "accept"
  | "reject"
  | "start"
  | "end"
  | "modality"
  | "undo"
  | "add"
  | "previousClip"
  | "nextClip"
  | "cannotTell"
  | "unreadable"
  | "finish"
  | "zoomIn"
  | "zoomOut"
  | "fit"
  | "panEarlier"
  | "panLater"
  | "loop"
  | "edge"
  | "nudgeEarlier"
  | "nudgeLater"
  | "note";

export interface Shortcut {
  key: string;
  /** What it does, as in the tooltip of its button and in the help. */
  description: string;
}

export const SHORTCUTS: Record<Action, Shortcut> = {
  previous: { key: "b", description: "Go back to the previous segment" },
  next: { key: "n", description: "Go to the next segment" },
  accept: { key: "a", description: "Accept the segment" },
  reject: { key: "d", description: "Reject the segment" },
  start: { key: "[", description: "Let the segment start where the player is" },
  end: { key: "]", description: "Let the segment end where the player is" },
  modality: { key: "t", description: "Change the manipulated modality" },
  undo: { key: "u", description: "Take the last decision back, or the end of the last review" },
  add: { key: "i", description: "Insert a segment where the player is" },
  previousClip: { key: "PageUp", description: "Go back to the previous clip" },
  nextClip: { key: "PageDown", description: "Go to the next clip, without a decision" },
  cannotTell: {
    key: "q",
    description: "Nobody can tell whether the clip is real: training leaves it out",
  },
  unreadable: {
    key: "w",
    description: "Nobody can see or hear the clip: training leaves it out",
  },
  finish: {
    key: "Enter",
    description: "The clip is done: reject what is undecided, and go on to the next clip",
  },
  zoomIn: { key: "k", description: "Zoom in where the player is" },
  zoomOut: { key: "o", description: "Zoom out" },
  fit: { key: "v", description: "Show the segment alone, or the whole clip again" },
  panEarlier: { key: "Home", description: "Show what was before" },
  panLater: { key: "End", description: "Show what comes after" },
  loop: { key: "y", description: "Play the segment in a loop" },
  edge: { key: "e", description: "Go to the other edge of the segment" },
  nudgeEarlier: { key: "g", description: "Move that edge one frame earlier" },
  nudgeLater: { key: "h", description: "Move that edge one frame later" },
  note: { key: "'", description: "Write a note on the segment" },
};

export const HELP_KEY = "?";

const SIGN = /^[^a-z0-9]$/i;

interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

export function actionOf(press: KeyPress): Action | null {
  // With these keys it is a shortcut of the browser's or of the App's.
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  // Some keyboards have signs only with Shift.
  if (press.shiftKey && !SIGN.test(press.key)) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const actions = Object.keys(SHORTCUTS) as Action[];
  return actions.find((action) => SHORTCUTS[action].key === key) ?? null;
}

/** The key as on a button. */
export function keyOf(action: Action): string {
  return { PageUp: "PgUp", PageDown: "PgDn" }[SHORTCUTS[action].key] ?? SHORTCUTS[action].key;
}

export function tooltip(action: Action): string {
  return `${SHORTCUTS[action].description} (${keyOf(action)})`;
}
