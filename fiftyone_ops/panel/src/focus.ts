// Whose a key press is. A decision that nobody meant is worse than a key that does nothing, so keys
// are ours only where nothing else on the page can have been meant.

/** The App's player, and what covers the page for as long as it is answered. */
const PLAYER = "[data-cy=modal-looker-container]";
const DIALOGS = "[role=dialog], [role=alertdialog], [aria-modal=true], .MuiModal-root";
/** Where keys are typed, or press or choose what has the focus. */
const TYPED_INTO = "input, textarea, select, [contenteditable], [role]";
const PRESSED = "button, a, summary";

/** Whether a key that is pressed there is meant for the panel. */
export function isOurs(event: KeyboardEvent, panel: HTMLElement | null): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement) || isDialogOpen()) return false;
  if (target === document.body) return true;
  if (target.closest(TYPED_INTO)) return false;
  if (event.key === "Enter" && target.closest(PRESSED)) return false;
  return panel?.contains(target) || target.closest(PLAYER) !== null;
}

function isDialogOpen(): boolean {
  // Some dialogs stay in the page while they are not shown.
  return [...document.querySelectorAll(DIALOGS)].some((dialog) => dialog.getClientRects().length > 0);
}
