// What one panel leaves for the other: along which queue a person goes. The App gives panels
// nothing in common, but both are of this script.

export const reviewing: { reason: string | null } = { reason: null };
