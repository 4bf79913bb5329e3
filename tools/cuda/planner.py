"""Cuts the attention of one step into lanes of records for the CUDA kernel (see backend-cuda/src/main/cuda/README.md)."""
from dataclasses import dataclass, replace
import heapq, math
import numpy as np

ALIGN = 16  # cuts fall on multiples of so many tokens
SMALLEST = 32  # tokens of the smallest piece
TOKEN_ALONE = 0.55  # as token_price(), of one row
OVERLAP = 0.15  # of the lesser of memory and arithmetic: what the greater does not hide


@dataclass
class Run:
    first_row: int
    rows: int
    chunks: list  # chunk ids
    first_token: int  # position, a multiple of the chunk
    tokens: int
    cut_limit: int  # tokens that all rows see; cuts beyond are not allowed
    causal: bool = False
    merged: bool = False  # its row has other runs too


@dataclass
class Sequence:
    chunks: list
    position: int  # of the first row's token
    rows: int = 1


@dataclass
class Costs:
    balance: float = 160  # query rows whose arithmetic takes as long as the read
    record: float = 2
    shared: float = 24  # of a record of several rows: its states are waited for
    state: float = 0.25  # of one query row's partial state
    merge: float = 4  # of one query row that its owner merges
    reread: float = 0.6  # of a token that another record has read already
    split: float = 96  # of a shared run: what it must save to be worth while
    spread: float = 1.5  # the same, for each of its query rows
    query_rows: int = 128  # of one run
    row_state: float = 2.2  # of one query row of the largest record: its state is written, read and merged
    # What all shared runs of a step must save together:
    step_reread: float = 0.1  # of a token, where memory is the limit
    step_cached: float = 0.55  # of any token, where the cache is
    step_wait: float = 80  # of each lane, until the others' states are there
    step_state: float = 10  # of one query row's partial state
    step_run: float = 8
    mixed: float = 384  # tokens of a lane's single rows above which they stand on both sides of its runs of several


def find_runs(sequences, chunk, group, row_cap, sharing=True, costs=None, lanes=None):
    """Runs of a batch in depth-first order; row blocks fit into row_cap. Without `lanes` shared runs are judged one by one alone."""
    costs = costs or Costs()
    first = np.cumsum([0] + [s.rows for s in sequences])
    runs, saved, states = [], 0, 0

    def common(s, t):
        n = 0
        a, b = sequences[s].chunks, sequences[t].chunks
        limit = min(len(a), len(b), sequences[s].position // chunk, sequences[t].position // chunk)
        while n < limit and a[n] == b[n]:
            n += 1
        return n

    lcp = [0] + [common(i - 1, i) if sharing else 0 for i in range(1, len(sequences))]
    most = min(128, max(16, 1 << int(math.log2(costs.query_rows // group or 1))))

    def reads(rows):
        return -(-rows // most)

    def rows_of(lo, hi):
        return int(first[hi] - first[lo])

    def child_end(child, hi, to):
        end = child + 1
        while end < hi and lcp[end] > to:
            end += 1
        return end

    def pays(lo, hi, start, to):
        left, child = 0, lo
        while child < hi:
            end = child_end(child, hi, to)
            left += reads(rows_of(child, end))
            child = end
        rows = rows_of(lo, hi)
        gain = (left - reads(rows)) * (to - start) * chunk * costs.reread
        return gain > reads(rows) * costs.split + rows * group * costs.spread * (2 if start == 0 else 1)

    def node(lo, hi, start):
        nonlocal saved, states
        if hi - lo == 1:
            leaf(lo, start)
            return
        to = min(lcp[lo + 1 : hi])
        if to > start and pays(lo, hi, start, to):
            rows = rows_of(lo, hi)
            blocks = reads(rows)
            n = (to - start) * chunk
            saved += (sum(reads(s.rows) for s in sequences[lo:hi]) - blocks) * n
            states += rows * group
            for i in range(blocks):
                a, b = rows * i // blocks, rows * (i + 1) // blocks
                runs.append(Run(int(first[lo]) + a, b - a, sequences[lo].chunks[start:to], start * chunk, n, n))
            start = to
        child = lo
        while child < hi:
            end = child_end(child, hi, to)
            node(child, end, start)
            child = end

    def leaf(s, start):
        nonlocal states
        q = sequences[s]
        begin = max(0, start * chunk - q.position)  # rows before see none of these chunks
        blocks = reads(q.rows - begin)
        size = q.rows if blocks <= 1 else -(-(-(-(q.rows - begin) // blocks)) // 16) * 16
        for a in range(begin, q.rows, max(1, size)):
            b = min(q.rows, a + size)
            tokens = q.position + b - start * chunk
            if tokens > 0:
                seen = q.position + a + 1 - start * chunk
                ids = q.chunks[start : start + -(-tokens // chunk)]
                states += (b - a) * group if start > 0 else 0
                runs.append(Run(int(first[s]) + a, b - a, ids, start * chunk, tokens, seen, b - a > 1, start > 0))

    def alone():
        for s in range(len(sequences)):
            leaf(s, 0)

    if sharing and len(sequences) > 1:
        node(0, len(sequences), 0)
        cost = (lanes or 0) * costs.step_wait + states * costs.step_state + len(runs) * costs.step_run
        read = sum(r.tokens for r in runs)
        if lanes and saved > 0 and not max(saved * costs.step_reread, (read + saved) * costs.step_cached - read) > cost:
            runs.clear()
            alone()
    else:
        alone()
    most = rows_limit(runs, group, max(1, row_cap // group), lanes or 1, costs)
    return [block for run in runs for block in blocks_of(run, most)], int(first[-1])


def rows_limit(runs, group, most, lanes, costs):
    """Rows of one record, at most: fewer leave fewer states but read K and V more often."""
    if any(run.causal for run in runs):
        return most  # a prompt's many rows leave no states
    best, limit = math.inf, most
    for rows in (most, most // 2, most // 4):
        if rows < most and (rows < 2 or rows * group < 32):
            break
        unique, work, states, before = 0, 0.0, 0, None
        for run in runs:
            unique += run.tokens if (run.first_token, run.chunks[0]) != before else 0
            before = (run.first_token, run.chunks[0])
            blocks = -(-run.rows // rows)
            if rows < most and blocks > 2 * -(-run.rows // most):  # L2 has other work too
                return limit
            queries = -(-run.rows // blocks) * group
            work += run.tokens * (TOKEN_ALONE if run.rows == 1 else blocks * token_price(queries))
            states = max(states, queries if run.rows > 1 else 0)
        cost = (max(unique, work) + OVERLAP * min(unique, work)) / lanes + costs.row_state * states
        if cost < best:
            best, limit = cost, rows
    return limit


def token_price(queries):
    """Of a record's token, beside one that is read from memory: arithmetic, or the way from L2."""
    return 0.66 if queries <= 32 else 0.56 if queries <= 64 else 0.8


def blocks_of(run, most):
    """A run's rows in blocks of at most `most`."""
    n = -(-run.rows // most)
    for i in range(n):
        a, b = run.rows * i // n, run.rows * (i + 1) // n
        if run.causal:
            tokens, seen = min(run.tokens, run.cut_limit + b - 1), run.cut_limit + a
            yield replace(run, first_row=run.first_row + a, rows=b - a, tokens=tokens, cut_limit=seen, causal=seen < tokens)
        else:
            yield replace(run, first_row=run.first_row + a, rows=b - a)


def run_cost(run, group, costs):
    """(per token, fixed)"""
    rows = run.rows * group
    return max(1.0, rows / costs.balance), costs.record + (costs.shared + rows * costs.state if run.rows > 1 else rows * costs.merge if run.merged else 0)


def fill(runs, loads, group, costs, share):
    """Lists of (run, from, to), each lane filled from its load up to `share`; None if the lanes do not suffice."""
    out, lane, used = [[] for _ in loads], 0, loads[0]
    for run in runs:
        per, fixed = run_cost(run, group, costs)
        begin = 0
        while begin < run.tokens:
            take = piece(run, begin, run.tokens - begin, (share - used - fixed) / per)
            if take > 0:
                out[lane].append((run, begin, begin + take))
                used += fixed + take * per
                begin += take
            if begin < run.tokens:
                lane += 1
                if lane == len(loads):
                    return None
                used = loads[lane]
    return out


def piece(run, begin, left, room):
    """Tokens of the run from `begin` on that fit into `room`; 0 if none."""
    if left <= room:
        return left
    take = int(room) // ALIGN * ALIGN
    if left - take < SMALLEST:
        take = (left - SMALLEST) // ALIGN * ALIGN
    if run.causal:  # all rows must see the next piece's first token
        take = min(take, (run.cut_limit - 1) // ALIGN * ALIGN - begin)
    return take if take >= SMALLEST else 0


def level(runs, loads, group, costs):
    """fill() with the smallest share that suffices."""
    prices = [per * t.tokens + fixed for t in runs for per, fixed in [run_cost(t, group, costs)]]
    low = (sum(prices) + sum(loads)) / len(loads)
    high, best = low, fill(runs, loads, group, costs, low * 1.0001)
    while best is None:
        high *= 1.25
        best = fill(runs, loads, group, costs, high)
    for _ in range(7 if high > low else 0):
        middle = (low + high) / 2
        found = fill(runs, loads, group, costs, middle)
        if found is None:
            low = middle
        else:
            high, best = middle, found
    return best


def cut(runs, lanes, group, costs=Costs()):
    """Lists of (run, from, to) per lane. Rows of their own are dealt out evenly, so that each lane merges its share of rows;
    runs of several rows fill the lanes up to one level, and come first in most."""
    several = sorted((r for r in runs if r.rows > 1), key=lambda r: -r.rows)
    single = [r for r in runs if r.rows == 1]
    loads = [0.0] * lanes
    if not several:
        return level(single, loads, group, costs)
    price = lambda r: sum(x * y for x, y in zip(run_cost(r, group, costs), (r.tokens, 1)))
    share = sum(map(price, runs)) / lanes
    pieces = []
    for run in single:
        parts = max(1, min(math.ceil(price(run) / share - 1e-6), run.tokens // SMALLEST))
        step = -(-(-(-run.tokens // parts)) // ALIGN) * ALIGN if parts > 1 else run.tokens
        for begin in range(0, run.tokens, step):
            pieces.append((run, begin, min(run.tokens, begin + step)))
    tails = [[] for _ in range(lanes)]
    heap = [(0.0, lane) for lane in range(lanes)]
    for item in sorted(pieces, key=lambda x: x[1] - x[2]):
        load, lane = heapq.heappop(heap)
        per, fixed = run_cost(item[0], group, costs)
        loads[lane] = load + fixed + per * (item[2] - item[1])
        tails[lane].append(item)
        heapq.heappush(heap, (loads[lane], lane))
    heads = level(several, loads, group, costs)
    products = several[0].rows * group > 32
    return [in_order(lane, a, b, costs.mixed if products else math.inf) for lane, (a, b) in enumerate(zip(heads, tails))]


def in_order(lane, several, single, most):
    """A lane's pieces. Warpgroup products bound records of many rows, memory bounds single rows: where these are more than a ring of
    tiles holds, every other lane begins with a half of them, so that both are in use at all times."""
    mixed = lane % 2 and sum(end - begin for _, begin, end in single) > most
    half = len(single) // 2 if mixed else 0
    return single[:half] + several + single[half:]


@dataclass
class Plan:
    rows: int
    lanes: int
    record_cap: int
    records: np.ndarray
    lengths: np.ndarray
    chunk_ids: np.ndarray
    row_position: np.ndarray
    row_partial_start: np.ndarray
    row_partial: np.ndarray
    partials: int
    waits: np.ndarray = None
    segments: int = 0


def plan(sequences, chunk, group, row_cap, lanes, sharing=True, costs=Costs(), runs=None, rows=None):
    if runs is None:
        runs, rows = find_runs(sequences, chunk, group, row_cap, sharing, costs, lanes)
    cuts = cut(runs, lanes, group, costs)
    position = np.concatenate([np.arange(s.position, s.position + s.rows) for s in sequences])
    covered = np.zeros(rows, int)
    segments = [(lane, *piece) for lane, pieces in enumerate(cuts) for piece in pieces]
    for _, run, _, _ in segments:
        covered[run.first_row : run.first_row + run.rows] += 1
    slots = [[] for _ in range(rows)]
    cap = max([1] + [len(p) for p in cuts])
    records = np.zeros((lanes, cap, 16), np.int32)
    lengths = np.zeros((lanes, cap), np.int32)
    ids, partials, filled = [], 0, [0] * lanes
    for lane, run, begin, end in segments:
        i = filled[lane]
        filled[lane] += 1
        partial = -1
        if (covered[run.first_row : run.first_row + run.rows] > 1).any():
            partial = partials
            partials += run.rows
            for r in range(run.rows):
                slots[run.first_row + r].append((run.first_token + begin, partial + r))
        c0, c1 = begin // chunk, -(-end // chunk)
        mine = list(run.chunks[c0:c1])
        causal = run.causal and end > run.cut_limit
        records[lane, i, :6] = [run.first_row, run.rows, run.first_token + begin, int(causal), partial, len(ids)]
        records[lane, i, 8 : 8 + min(8, len(mine))] = mine[:8]
        lengths[lane, i] = end - begin
        ids += mine
    slots = [[slot for _, slot in sorted(row)] for row in slots]
    # The record of a row's last tokens owns it (flag 2); the others are waited for (flag 4).
    for lane in range(lanes):
        for record in records[lane, : filled[lane]]:
            if record[4] >= 0:
                own = [slots[record[0] + r][-1] == record[4] + r for r in range(record[1])]
                record[3] |= 2 * any(own) + 4 * (not all(own))
    # Records of other lanes that each lane waits for.
    of_slot = {int(records[lane, i, 4]) + r: (lane, i) for lane in range(lanes) for i in range(filled[lane]) if records[lane, i, 4] >= 0
               for r in range(records[lane, i, 1])}
    needed = [set() for _ in range(lanes)]
    for row in slots:
        if row:
            owner = of_slot[row[-1]][0]
            needed[owner].update(lane * cap + i for lane, i in map(of_slot.get, row[:-1]) if lane != owner)
    waits = np.full((lanes, max([1] + [len(n) for n in needed])), -1, np.int32)
    for lane, n in enumerate(needed):
        waits[lane, : len(n)] = sorted(n)
    start = np.cumsum([0] + [len(s) for s in slots]).astype(np.int32)
    flat = np.array([x for s in slots for x in s] + [0], np.int32)
    return Plan(rows, lanes, cap, records, lengths, np.array(ids + [0] * 32, np.int32), position.astype(np.int32), start, flat, partials, waits, len(segments))
