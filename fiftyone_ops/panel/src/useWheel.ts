// The wheel over the lanes: zoom where the mouse is; sideways, or with Shift, pan.

import { useEffect, useRef } from "react";
import { timeAt } from "./timescale";
import type { Zoom } from "./useZoom";

/** How much of the window a turn of a usual wheel, of 100 pixels, takes away. */
const ZOOM_A_PIXEL = 0.0025;
const PAN_A_PIXEL = 0.001;
/** What is pointed at lies on the axis of one of these. */
const AXIS = ".track, .axis";

export function useWheel(zoom: Zoom) {
  const lanes = useRef<HTMLDivElement>(null);
  const latest = useRef(zoom);
  latest.current = zoom;
  useEffect(() => {
    const turn = (event: WheelEvent) => {
      const axis = event.target instanceof Element && event.target.closest(AXIS);
      // With Ctrl it is the browser's.
      if (!axis || event.ctrlKey) return;
      event.preventDefault();
      const { window, by, pan } = latest.current;
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (Math.abs(sideways) >= Math.abs(event.deltaY) || event.shiftKey) {
        pan(sideways * PAN_A_PIXEL);
      } else {
        by(Math.exp(event.deltaY * ZOOM_A_PIXEL), timeAt(event.clientX, axis.getBoundingClientRect(), window));
      }
    };
    const element = lanes.current;
    // Not by React, whose listeners cannot keep the page from scrolling.
    element?.addEventListener("wheel", turn, { passive: false });
    return () => element?.removeEventListener("wheel", turn);
  }, []);
  return lanes;
}
