"""Times steps with the planner's limit of rows in a record and without it: rows.py CUBINS OUT.csv. Batches between those of the grid."""
import csv, sys
from argparse import Namespace
import bench
from planner import Costs

FREE = Costs(row_state=0)  # states cost nothing: as many rows as the kernel takes


def most_rows(plan):
    return max(int(r[1]) for lane in plan.records for r in lane)


def main():
    cubins, out = sys.argv[1:3]
    b = bench.Bench(Namespace(pool=9, kind="fp16"))
    ratios = []
    with open(out, "w") as f:
        table = csv.writer(f)
        table.writerow("hq,hkv,d,c,b,ns,nc,rows,rows_free,time_us,free_us".split(","))
        for hkv in (8, 32):
            for batch in (10, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128):
                for ns, nc in ((1024, 64), (1024, 256), (2048, 256), (4096, 64), (2048, 1024), (8192, 64)):
                    sequences = bench.batch(batch, ns, nc, 64)
                    time, _, plan = b.time(cubins, 32, hkv, 128, 64, sequences)
                    free, _, other = b.time(cubins, 32, hkv, 128, 64, sequences, costs=FREE)
                    if most_rows(plan) != most_rows(other):
                        ratios.append((time / free, hkv, batch, ns, nc))
                        table.writerow([32, hkv, 128, 64, batch, ns, nc, most_rows(plan), most_rows(other), f"{time:.2f}", f"{free:.2f}"])
    print(f"{len(ratios)} steps with smaller records: {bench.geomean([r[0] for r in ratios]):.3f} of the time without the limit")
    for r in sorted(ratios)[-12:]:
        print(*r)


main()
