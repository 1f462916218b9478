// State that both panels share, and that outlives them: the App makes a panel anew for the next
// clip and gives panels nothing in common, but both are of this script.

/** A review that was ended, which can be taken back from the next clip. */
export interface Ended {
  sample_id: string;
  name: string;
  field: string;
}

export const reviewState = {
  /** The reason of the queue that a person goes along. */
  reason: null as string | null,
  ended: null as Ended | null,
  /** The last decision about many clips, which can be taken back. */
  bulk: null as { batch: string; sampleIds: readonly string[]; field: string } | null,
  /** The run that is shown beside the one that is reviewed. */
  beside: null as string | null,
};

/** The clips that were open, in their order, and which of them is. */
const visited = { sampleIds: [] as string[], at: -1, heading: 1 as 1 | -1 };

/** Keep that a clip is open. Going back and forth stays on the way; a new clip goes on from here. */
export function visit(sampleId: string): void {
  if (visited.sampleIds[visited.at] === sampleId) return;
  for (const by of [-1, 1]) {
    if (visited.sampleIds[visited.at + by] === sampleId) {
      visited.at += by;
      return;
    }
  }
  if (visited.heading < 0) {
    visited.sampleIds.splice(0, visited.at, sampleId);
    visited.at = 0;
  } else {
    visited.sampleIds.splice(visited.at + 1, Infinity, sampleId);
    visited.at = visited.sampleIds.length - 1;
  }
  visited.heading = 1;
}

/** Keep that one goes back, or on, to a clip that is not known yet. */
export function head(by: 1 | -1): void {
  visited.heading = by;
}

/** The clip that was open before this one, or after it before one went back. */
export function visitedBeside(by: 1 | -1): string | null {
  return visited.sampleIds[visited.at + by] ?? null;
}
