"""Writes what the planner makes of random trees, for the test that Java's planner makes the same:
goldens.py ../../backend-cuda/src/test/resources/org/chunkllama/cuda/lanes.json
"""
import json, random, sys
from check_planner import forest
from planner import plan


def ranges(ids):
    """[first, count, first, count, ...] of consecutive ids."""
    out = []
    for i in ids:
        if out and out[-2] + out[-1] == i:
            out[-1] += 1
        else:
            out += [int(i), 1]
    return out


def case(rng, prefill):
    chunk, group = rng.choice([16, 32, 64, 128]), rng.choice([1, 2, 3, 4, 8, 16])
    lanes, kv_heads = rng.choice([(132, 1), (16, 8), (4, 32), (33, 4), (1, 132)])
    while True:
        sequences, _ = forest(rng, chunk, rng.choice([300, 1500, 5000]), rng.choice([2, 4]), prefill)
        if 1 < len(sequences) <= 40:
            break
    sharing = rng.random() < 0.85
    p = plan(sequences, chunk, group, 128, lanes, sharing)
    records = [
        [lane, *map(int, r[:4]), int(n), int(p.chunk_ids[r[5]])]
        for lane in range(lanes)
        for r, n in zip(p.records[lane], p.lengths[lane])
        if n > 0
    ]
    waits = sorted([lane, int(w) // p.record_cap, int(w) % p.record_cap] for lane in range(lanes) for w in p.waits[lane] if w >= 0)
    shared = any(r[2] > 1 and not r[4] & 1 for r in records)
    return shared, {
        "chunk": chunk, "group": group, "lanes": lanes, "kvHeads": kv_heads, "rowCap": 128, "sharing": sharing, "partials": int(p.partials),
        "sequences": [[s.position, s.rows, *ranges(s.chunks)] for s in sequences],
        "records": records, "waits": waits,
    }


def main():
    rng = random.Random(5)
    cases, shared = [], 0
    while len(cases) < 40:
        shares, c = case(rng, len(cases) % 4 == 3)
        if shares or 2 * shared >= len(cases):  # half of them share
            cases.append(c)
            shared += shares
    print(shared, "of", len(cases), "share")
    with open(sys.argv[1], "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
