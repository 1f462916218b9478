// The response of a method of the overview, for as long as it holds.

import { view } from "@fiftyone/state";
import { useCallback, useEffect, useRef, useState } from "react";
import { useRecoilValue } from "recoil";
import type { Call } from "./rpc";

/**
 * The response of a method about a field, loaded anew whenever the App's view changes, or whenever
 * the function is called: with further parameters, such as those of what becomes the view, and with
 * what is known of the response until it is there.
 */
export function useResponse<T>(call: Call, method: string, field: string | null, more?: object) {
  const stages = useRecoilValue(view);
  const [response, setResponse] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const newest = useRef(0);
  const key = JSON.stringify([field, stages, more]);
  const load = useCallback(
    (params?: object, meanwhile?: T) => {
      const number = ++newest.current;
      if (meanwhile) setResponse(meanwhile);
      const isNewest = () => number === newest.current;
      call<T>(method, { field, ...more, ...params })
        .then((latest) => {
          if (!isNewest()) return;
          setResponse(latest);
          setProblem(null);
        })
        .catch((error: Error) => isNewest() && setProblem(error.message));
    },
    [call, method, key],
  );
  useEffect(() => load(), [load]);
  return [response, problem, load] as const;
}
