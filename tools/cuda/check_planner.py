"""Every row's tokens are covered exactly once, over random forests."""
import random
import numpy as np
from planner import Sequence, plan, find_runs


def forest(rng, chunk, depth_tokens, fan, prefill=False):
    """Sequences in depth-first order; returns (sequences, chunks used)."""
    counter, out = [0], []

    def take(n):
        ids = list(range(counter[0], counter[0] + n))
        counter[0] += n
        return ids

    def grow(path, depth):
        path = path + take(rng.randrange(0, depth_tokens // chunk + 1))
        kids = rng.randrange(1, fan + 1) if depth > 0 else 1
        for _ in range(kids):
            if depth > 0 and rng.random() < 0.7:
                grow(path, depth - 1)
            else:
                tail = rng.randrange(1, depth_tokens + 1)
                rows = rng.randrange(1, 40) if prefill and rng.random() < 0.5 else 1
                length = len(path) * chunk + max(tail, rows)
                out.append(Sequence(path + take(-(-length // chunk) - len(path)), length - rows, rows))

    for _ in range(rng.randrange(1, 4)):
        grow([], rng.randrange(0, 4))
    return out, counter[0]


def main():
    rng = random.Random(7)
    for trial in range(400):
        chunk = rng.choice([16, 32, 48, 64, 128])
        group = rng.choice([1, 2, 4, 8, 16])
        sequences, _ = forest(rng, chunk, rng.choice([50, 300, 1000]), 4, trial % 2 == 1)
        p = plan(sequences, chunk, group, 128, rng.choice([1, 2, 4, 16, 33]), trial % 3 != 0)
        seen = [dict() for _ in range(p.rows)]
        of_row = [s for s in sequences for _ in range(s.rows)]
        for lane in range(p.lanes):
            for i in range(p.record_cap):
                n = p.lengths[lane, i]
                if n == 0:
                    assert (p.lengths[lane, i:] == 0).all()
                    break
                first, rows, token, flags, _, ids = p.records[lane, i, :6]
                assert rows * group <= 128 and token % 8 == 0
                for r in range(first, first + rows):
                    end = min(n, p.row_position[r] + 1 - token) if flags & 1 else n
                    assert end >= 1
                    for x in range(token, token + end):
                        assert x not in seen[r]
                        seen[r][x] = p.chunk_ids[ids + x // chunk - token // chunk]
        for r in range(p.rows):
            assert len(seen[r]) == p.row_position[r] + 1, (trial, r)
            for x, c in seen[r].items():
                assert of_row[r].chunks[x // chunk] == c
    print("planner ok")


if __name__ == "__main__":
    main()
