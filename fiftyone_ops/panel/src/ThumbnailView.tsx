// The thumbnail of a clip in a list, loaded once it is in sight.

import React, { useEffect, useRef, useState } from "react";
import type { ThumbnailLoader } from "./thumbnails";
import type { QueueItem, Thumbnail } from "./types";

export function ThumbnailView({ item, loader }: { item: QueueItem; loader: ThumbnailLoader }) {
  const box = useRef<HTMLDivElement>(null);
  const [thumbnail, setThumbnail] = useState<Thumbnail | null>(null);
  const { sample_id } = item;
  const time_s = item.starts_s[0] ?? (item.duration_s ?? 0) / 2;
  useEffect(() => {
    let leave = () => {};
    const observer = new IntersectionObserver(([entry]) => {
      leave();
      if (entry?.isIntersecting) leave = loader.request({ sample_id, time_s }, setThumbnail);
    });
    if (box.current) observer.observe(box.current);
    return () => {
      observer.disconnect();
      leave();
    };
  }, [loader, sample_id, time_s]);
  return (
    <div ref={box} className="thumbnail" title={thumbnail?.caption} data-cy="mmmsba-thumbnail">
      {thumbnail?.src && <img src={thumbnail.src} alt="" />}
      {thumbnail && !thumbnail.src && "no frame"}
    </div>
  );
}
