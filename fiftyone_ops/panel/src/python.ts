// How a panel asks its Python half. Answers come to the one who asked: what Python sets as a
// panel's "data" is merged into what is there, list by list, and stale entries stay behind.

import { usePanelEvent } from "@fiftyone/operators";
import { usePanelId } from "@fiftyone/spaces";
import { useCallback, useRef } from "react";

/** What the App hands to the component of a panel; methods of the Python half go by name. */
export interface PanelProps {
  schema: { view: Record<string, unknown> };
}

export type Ask = <T>(method: string, params?: Record<string, unknown>) => Promise<T>;

export function useAsk({ schema }: PanelProps): Ask {
  const trigger = usePanelEvent();
  const panelId = usePanelId();
  // The App hands over new objects at every turn; who waits for an answer must not ask again.
  const latest = useRef({ trigger, view: schema.view });
  latest.current = { trigger, view: schema.view };
  return useCallback(
    <T>(method: string, params: Record<string, unknown> = {}) =>
      new Promise<T>((resolve, reject) => {
        const { trigger, view } = latest.current;
        const operator = view[method];
        if (typeof operator !== "string") {
          reject(new Error(`no method ${method}: the panel's two halves are of two versions`));
          return;
        }
        const callback = (answer: { result?: unknown; error?: unknown; errorMessage?: string }) => {
          const problem = answer.error
            ? (answer.errorMessage ?? String(answer.error))
            : (answer.result as { problem?: string } | null)?.problem;
          if (problem) reject(new Error(problem));
          else resolve(answer.result as T);
        };
        trigger(panelId, { operator, params, callback });
      }),
    [panelId],
  );
}
