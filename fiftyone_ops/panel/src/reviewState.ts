// State that both panels share: the reason of the queue that a person goes along. The App gives
// panels nothing in common, but both are of this script.

export const reviewState: { reason: string | null } = { reason: null };
