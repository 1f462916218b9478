"""Measure the cost of detection in FiftyOne over detection without, as a ratio within one run.

Both evaluate the same clips of a talking portrait with the same small network, by turns; features
are kept by neither. The whole way counts: looking at files, detection, making labels, writing them.

Run as ``python tests/benchmarks/fiftyone_detection.py [clips] [seconds]``.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from fiftyone_writes import print_line, start_database

#: The greatest ratio that passes.
MOST = 1.05
NUM_ROUNDS = 5


def main(num_clips: int, seconds: float) -> None:
    start_database()
    import fiftyone as fo

    from fiftyone_ops.settings import DetectSettings
    from fiftyone_ops.tasks.detect import DetectTask
    from mmmsba_plugin.detector import MmmsbaDetector
    from mmmsba_plugin.forge.talking_head.clips import make_talking_clip

    with tempfile.TemporaryDirectory() as folder:
        clips = [
            make_talking_clip(Path(folder, f"{seed}.mp4"), seconds=seconds, seed=seed).path
            for seed in range(num_clips)
        ]
        detector = MmmsbaDetector.from_pretrained()
        dataset = fo.Dataset()
        dataset.add_samples([fo.Sample(filepath=str(path)) for path in clips])
        ratios = []
        for number in range(NUM_ROUNDS):
            before_s = time.process_time()
            for path in clips:
                detector.detect(path)
            alone_s = time.process_time() - before_s
            before_s = time.process_time()
            settings = DetectSettings(existing="overwrite")
            for _ in DetectTask(dataset, settings, detector=detector).steps():
                pass
            within_s = time.process_time() - before_s
            ratios.append(within_s / alone_s)
            print_line(f"round {number + 1}: alone {alone_s:.2f} s, in FiftyOne {within_s:.2f} s")
        dataset.delete()
    print_line(f"{num_clips} clips of {seconds:g} s: {np.median(ratios):.3f} x (at most {MOST})")


if __name__ == "__main__":
    arguments = [float(argument) for argument in sys.argv[1:]]
    main(int(arguments[0]) if arguments else 6, arguments[1] if len(arguments) > 1 else 10.0)
