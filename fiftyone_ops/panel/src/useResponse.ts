// The response of a method of the overview, for as long as it holds.

import { view } from "@fiftyone/state";
import { useCallback, useEffect, useState } from "react";
import { useRecoilValue } from "recoil";
import type { Call } from "./rpc";

/** The response of a method about a field, loaded anew whenever the App's view changes. */
export function useResponse<T>(call: Call, method: string, field: string | null, more?: object) {
  const stages = useRecoilValue(view);
  const [response, setResponse] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [numLoads, setNumLoads] = useState(0);
  const key = JSON.stringify([field, stages, more]);
  useEffect(() => {
    let late = false;
    call<T>(method, { field, ...more })
      .then((latest) => {
        if (late) return;
        setResponse(latest);
        setProblem(null);
      })
      .catch((error: Error) => !late && setProblem(error.message));
    return () => {
      late = true;
    };
  }, [call, method, key, numLoads]);
  const again = useCallback(() => setNumLoads((count) => count + 1), []);
  return [response, problem, again] as const;
}
