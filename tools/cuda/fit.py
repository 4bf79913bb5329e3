"""Fits the step costs of planner.py to what ragged.py measured: fit.py CSV SEED [CSV SEED ...].

Prints the costs that never lose more than 3 % against sharing off, the fastest first.
"""
import csv, itertools, random, sys
import numpy as np
from planner import find_runs
from ragged import SHAPES, tree

REREAD, CACHED = (0, 0.05, 0.1, 0.15, 0.2), (0.4, 0.45, 0.5, 0.55, 0.6)
WAIT, STATE, RUN = range(0, 121, 10), (0, 2, 4, 6, 8, 10, 12), (0, 4, 8, 16)
UNITS = 132


def features(path, seed):
    """Per tree and shape: microseconds shared and unshared, tokens saved and read, states, runs, each per lane."""
    times = {}
    for r in csv.DictReader(open(path)):
        times.setdefault((int(r["tree"]), int(r["hkv"])), {})[r["rule"]] = float(r["us"])
    rng = random.Random(seed)
    for t in range(1 + max(t for t, _ in times)):
        sequences = tree(rng)
        for hq, hkv in SHAPES:
            group, lanes = hq // hkv, UNITS // hkv
            runs, _ = find_runs(sequences, 64, group, 128)
            if any(r.rows > 1 for r in runs):
                read = sum(r.tokens for r in runs)
                saved = sum(s.position + s.rows for s in sequences) - read
                states = sum(r.rows * group for r in runs if r.rows > 1 or r.merged)
                us = times[t, hkv]
                yield [us["default"], us["off"], saved / lanes, read / lanes, states / lanes, len(runs) / lanes]


def main():
    rows = [f for path, seed in zip(sys.argv[1::2], sys.argv[2::2]) for f in features(path, int(seed))]
    on, off, saved, read, states, runs = np.array(rows).T
    found = []
    for reread, cached in itertools.product(REREAD, CACHED):
        gain = np.maximum(reread * saved, cached * (read + saved) - read)
        for wait, state, run in itertools.product(WAIT, STATE, RUN):
            ratio = np.where(gain > wait + state * states + run * runs, on, off) / off
            if ratio.max() <= 1.03:
                found.append((np.exp(np.log(ratio).mean()), ratio.max(), reread, cached, wait, state, run))
    print(len(rows), "steps; oracle", round(np.exp(np.log(np.minimum(1, on / off)).mean()), 4))
    print("geomean worst reread cached wait state run")
    for f in sorted(found)[:10]:
        print(*(round(float(x), 4) for x in f))


if __name__ == "__main__":
    main()
