// Loading of the thumbnails that are in sight: one at a time, so that whatever else is asked for
// waits behind one decoding at most, and the latest first, which is where one looks.

import type { Thumbnail } from "./types";

export interface Moment {
  sample_id: string;
  time_s: number;
}

type Show = (thumbnail: Thumbnail) => void;

export class ThumbnailLoader {
  private readonly loaded = new Map<string, Thumbnail>();
  private waiting: { moment: Moment; show: Show }[] = [];
  private isLoading = false;

  constructor(private readonly load: (moment: Moment) => Promise<Thumbnail>) {}

  /** Show a thumbnail once it is there; returns what to call when it is out of sight. */
  request(moment: Moment, show: Show): () => void {
    const known = this.loaded.get(nameOf(moment));
    if (known) {
      show(known);
      return () => undefined;
    }
    const request = { moment, show };
    this.waiting.push(request);
    void this.loadNext();
    return () => {
      this.waiting = this.waiting.filter((other) => other !== request);
    };
  }

  private async loadNext(): Promise<void> {
    if (this.isLoading) return;
    const request = this.waiting.pop();
    if (!request) return;
    this.isLoading = true;
    try {
      const thumbnail = await this.load(request.moment);
      this.loaded.set(nameOf(request.moment), thumbnail);
      request.show(thumbnail);
    } catch (error) {
      request.show({ src: null, caption: (error as Error).message });
    } finally {
      this.isLoading = false;
    }
    await this.loadNext();
  }
}

function nameOf({ sample_id, time_s }: Moment): string {
  return `${sample_id} ${time_s}`;
}
