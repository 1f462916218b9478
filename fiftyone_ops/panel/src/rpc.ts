// Calls of the methods of a panel's Python half. Each caller gets its own response: what Python sets
// as a panel's "data" is merged into what is there, list by list, and stale entries stay behind.

import { usePanelEvent } from "@fiftyone/operators";
import { usePanelId } from "@fiftyone/spaces";
import { useCallback, useRef } from "react";
import type { Problem } from "./types";

/** What the App hands to the component of a panel; methods of the Python half go by name. */
export interface PanelProps {
  schema: { view: Record<string, unknown> };
}

export type Call = <T>(method: string, params?: Record<string, unknown>) => Promise<T>;

export function useCall({ schema }: PanelProps): Call {
  const trigger = usePanelEvent();
  const panelId = usePanelId();
  // The App hands over new objects at every turn; who waits for a response must not call again.
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
        const callback = (reply: { result?: unknown; error?: unknown; errorMessage?: string }) => {
          const problem = reply.error
            ? (reply.errorMessage ?? String(reply.error))
            : (reply.result as Partial<Problem> | null)?.problem;
          if (problem) reject(new Error(problem));
          else resolve(reply.result as T);
        };
        trigger(panelId, { operator, params, callback });
      }),
    [panelId],
  );
}
