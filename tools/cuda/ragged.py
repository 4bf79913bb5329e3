"""Random ragged trees, shared by several rules against sharing off, same kernel: ragged.py CUBINS OUT.csv [TREES] [SEED].

A line per tree, shape and rule, for fit.py: trees come again from the seed.
"""
import csv, random, sys
from planner import Costs, Sequence, find_runs

RULES = {
    "off": None,
    "default": Costs(),
    "late": Costs(reread=0.4),
    "split": Costs(split=300),
    "spread": Costs(spread=5),
    "strict": Costs(reread=0.4, split=300, spread=5),
    "all": Costs(split=0, spread=0),
}
SHAPES = ((32, 8), (32, 32))


def tree(rng, chunk=64):
    """1 to 3 roots, nodes of 0 to 30 chunks, tails of 1 to 1500 tokens, at most 200 sequences."""
    while True:
        counter, out = [0], []

        def take(n):
            counter[0] += n
            return list(range(counter[0] - n, counter[0]))

        def grow(path, depth):
            path = path + take(rng.randrange(0, rng.choice([2, 8, 30, 60])))
            for _ in range(rng.randrange(1, 5)):
                if depth > 0 and rng.random() < 0.6:
                    grow(path, depth - 1)
                else:
                    tail = rng.randrange(1, rng.choice([80, 400, 1500]))
                    out.append(Sequence(path + take(-(-tail // chunk)), len(path) * chunk + tail - 1))

        for _ in range(rng.randrange(1, 4)):
            grow([], rng.randrange(1, 4))
        if len(out) <= 200:
            return out


def main():
    from bench import Bench

    class Args:
        pool = 6

    bench = Bench(Args)
    cubins, out = sys.argv[1:3]
    trees = int(sys.argv[3]) if len(sys.argv) > 3 else 24
    rng = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 3)
    with open(out, "w") as f:
        rows = csv.writer(f)
        rows.writerow("tree,hq,hkv,sequences,rule,records,us".split(","))
        for t in range(trees):
            sequences = tree(rng)
            for hq, hkv in SHAPES:
                group, known, line = hq // hkv, {}, []
                for rule, costs in RULES.items():
                    runs, _ = find_runs(sequences, 64, group, 128, costs is not None, costs)
                    key = tuple((r.first_row, r.rows, r.first_token) for r in runs)
                    if key not in known:
                        known[key] = bench.time(cubins, hq, hkv, 128, 64, sequences, costs is not None, runs=runs)
                    us, _, p = known[key]
                    rows.writerow([t, hq, hkv, len(sequences), rule, p.segments, round(us, 3)])
                    line.append(f"{rule} {us:.1f}")
                print(t, hq, hkv, len(sequences), *line, flush=True)


if __name__ == "__main__":
    main()
