// The action of each key while the timeline is visible and nobody types. Other keys, such as space
// for playing, go on to the App.

export type Action =
  | "next"
  | "previous"
  | "accept"
  | "reject"
  | "start"
  | "end"
  | "modality"
  | "add"
  | "undo"
  | "finish";

const KEYS: Record<string, Action> = {
  j: "next",
  k: "previous",
  a: "accept",
  x: "reject",
  "[": "start",
  "]": "end",
  m: "modality",
  n: "add",
  u: "undo",
  Enter: "finish",
};

export function actionOf(event: {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}): Action | null {
  // With these keys it is a shortcut of the browser's.
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return KEYS[event.key] ?? KEYS[event.key.toLowerCase()] ?? null;
}

export function keyOf(action: Action): string {
  return Object.keys(KEYS).find((key) => KEYS[key] === action) ?? "";
}
