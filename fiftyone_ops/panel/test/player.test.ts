import type { Looker } from "@fiftyone/state";
import { expect, it, vi } from "vitest";

// The App provides these; a player needs neither.
vi.mock("@fiftyone/state", () => ({ modalLooker: {} }));
vi.mock("recoil", () => ({ useRecoilValue: () => null }));
vi.mock("react", () => ({ useMemo: (make: () => unknown) => make() }));

const { playerOf } = await import("../src/player");

const at = (time_s: number) => ({ currentTime: time_s }) as HTMLVideoElement;

it("is nowhere before there is a player", () => {
  expect(playerOf(null, 25).now()).toBeNull();
  const bare: Looker = {
    getVideo: () => {
      throw new TypeError("no elements yet");
    },
  };
  expect(playerOf(bare, 25).now()).toBeNull();
  expect(() => playerOf(bare, null).seek(1)).not.toThrow();
});

it.each([25, 30, 29.97, 60])("names the frame that starts at a time, at %d a second", (fps_hz) => {
  const asked: number[] = [];
  const looker: Looker = { getVideo: () => at(0), seekToFrame: (number) => asked.push(number) };
  const player = playerOf(looker, fps_hz);
  for (let number = 1; number < 200; number++) player.seek((number - 1) / fps_hz);
  expect(asked).toEqual(Array.from({ length: 199 }, (_, index) => index + 1));
});

it("counts from the clip's zero, where a file's clock starts before it", () => {
  const asked: number[] = [];
  const looker: Looker = { getVideo: () => at(1.5), seekToFrame: (number) => asked.push(number) };
  const player = playerOf(looker, 25, 0.936);
  expect(player.now()).toBeCloseTo(0.564);
  // At 1.436 s on the file's clock the frame is on that came at 1.4 s.
  player.seek(0.5);
  expect(asked).toEqual([36]);
});

it("moves the video itself where frames have no rate", () => {
  const video = at(0);
  playerOf({ getVideo: () => video }, null).seek(1.5);
  expect(video.currentTime).toBe(1.5);
});

it("asks again for as long as the player still loads", () => {
  vi.useFakeTimers();
  let loaded = false;
  const looker = {
    frameNumber: 1,
    seekToFrame(number: number) {
      if (loaded) this.frameNumber = number;
    },
  };
  playerOf(looker, 25).seek(0.5);
  vi.advanceTimersByTime(300);
  expect(looker.frameNumber).toBe(1);
  loaded = true;
  vi.advanceTimersByTime(100);
  expect(looker.frameNumber).toBe(13);
  looker.frameNumber = 20;
  vi.advanceTimersByTime(10_000);
  expect(looker.frameNumber).toBe(20);
  vi.useRealTimers();
});
