// The shortcuts in a list, beside the App's own help.

import React from "react";
import { type Action, keyOf, SHORTCUTS } from "./keys";

export function Help() {
  return (
    <dl className="help" data-cy="mmmsba-help">
      {(Object.keys(SHORTCUTS) as Action[]).map((action) => (
        <div key={action}>
          <dt>
            <kbd>{keyOf(action)}</kbd>
          </dt>
          <dd>{SHORTCUTS[action].description}</dd>
        </div>
      ))}
      <p className="quiet">
        Keys act while the player or this panel has the focus and no dialog is open; all others are
        the App’s.
      </p>
    </dl>
  );
}
