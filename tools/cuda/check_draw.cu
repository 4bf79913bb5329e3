// Random rows and options through draw.cu, against the same draws by sorting in double precision. Needs nvcc:
// nvcc -O2 -std=c++17 -arch=sm_90 -I backend-cuda/src/main/cuda -o check_draw tools/cuda/check_draw.cu && ./check_draw ROUNDS [VOCABULARY]
// Small numbers of rounds suit compute-sanitizer (--tool memcheck, racecheck). ./check_draw time: times of the launch alone.
#include "draw.cu"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

static void ok(cudaError_t status) {
  if (status != cudaSuccess) {
    printf("%s\n", cudaGetErrorString(status));
    exit(2);
  }
}

template <class T>
struct Device {
  T* data = nullptr;
  explicit Device(const std::vector<T>& from) {
    ok(cudaMalloc(&data, std::max<size_t>(1, from.size()) * sizeof(T)));
    ok(cudaMemcpy(data, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~Device() { cudaFree(data); }
};

struct Expected {
  int token;
  double margin;  // how near a sum of weights came to a limit
};

static Expected expected(const std::vector<float>& l, const Item& item, double temperature) {
  int count = (int)l.size();
  float peak = *std::max_element(l.begin(), l.end());
  if (!(std::fabs(peak) < INFINITY)) {
    return {-1, 1};
  }
  if (item.inverse == 0) {
    return {(int)(std::find(l.begin(), l.end(), peak) - l.begin()), 1};
  }
  std::vector<int> kept;
  for (int i = 0; i < count; i++) {
    if (l[i] > -INFINITY && l[i] >= std::min((float)(peak + item.least), peak)) {
      kept.push_back(i);
    }
  }
  std::stable_sort(kept.begin(), kept.end(), [&](int a, int b) { return l[a] > l[b]; });
  auto weight = [&](int i) { return std::exp(((double)l[i] - peak) / temperature); };
  if (item.top_k > 0 && item.top_k < (int)kept.size()) {
    kept.resize(item.top_k);
  }
  double margin = 1, total = 0, sum = 0;
  for (int i : kept) total += weight(i);
  if (item.top_p < 1) {
    size_t n = 0;
    while (n < kept.size()) {
      sum += weight(kept[n++]);
      margin = std::min(margin, std::fabs(sum / total - item.top_p));
      if (sum >= item.top_p * total) break;
    }
    kept.resize(n);
    total = sum;
  }
  std::sort(kept.begin(), kept.end());
  sum = 0;
  for (int i : kept) {
    sum += weight(i);
    margin = std::min(margin, std::fabs(sum / total - item.uniform));
    if (sum > item.uniform * total) return {i, margin};
  }
  return {kept.back(), margin};
}

// Median time of the launch in microseconds, logits in rotation over more than L2.
static void times() {
  int units = 0;
  cudaDeviceGetAttribute(&units, cudaDevAttrMultiProcessorCount, 0);
  Device<GangMemory> gangs(std::vector<GangMemory>((size_t)units));
  ok(cudaMemset(gangs.data, 0, units * sizeof(GangMemory)));
  ok(cudaFuncSetAttribute(draw, cudaFuncAttributeMaxDynamicSharedMemorySize, 227 << 10));
  std::mt19937_64 random(7);
  std::normal_distribution<float> gauss;
  printf("vocabulary,rows,greedy,temperature,top-p,top-k+top-p,min-p,20 listed (us)\n");
  for (int columns : {32000, 128256}) {
    for (int rows : {1, 32, 128}) {
      int copies = std::max(1, std::min(64, (int)((200LL << 20) / (4LL * rows * columns))));
      std::vector<float> one((size_t)rows * columns);
      for (float& x : one) x = random() % 4000 == 0 ? 12 + 2 * gauss(random) : 2.5f * gauss(random);
      std::vector<Device<float>*> logits;
      for (int i = 0; i < copies; i++) logits.push_back(new Device<float>(one));
      printf("%d,%d", columns, rows);
      for (int way = 0; way < 6; way++) {
        std::vector<Item> items(rows);
        for (int r = 0; r < rows; r++) {
          Item item{};
          item.row = r;
          item.mask = -1;
          item.repetition = 1;
          item.result = r * 64;
          item.kind = way == 5 ? LIST : DRAW;
          item.listed = 20;
          item.inverse = way == 0 ? 0 : way == 1 ? 1 : 1 / 0.7f;
          item.top_k = way == 3 ? 20 : 0;
          item.top_p = way == 2 ? 0.9 : way == 3 ? 0.8 : 1;
          item.least = way == 4 ? 0.7 * std::log(0.05) : -INFINITY;
          item.uniform = (r + 0.5) / rows;
          items[r] = item;
        }
        Device<Item> i(items);
        Device<int> results(std::vector<int>((size_t)rows * 64));
        int most = ((227 << 10) - VALUES_AT) / 16 * 4;
        int parts = std::min(units / rows, (columns + 4095) / 4096);
        parts = std::min(PARTS_MAX, std::max(parts, (columns + most - 1) / most));
        int together = std::min(rows, units / parts);
        int shared = VALUES_AT + (columns + 4 * parts - 1) / (4 * parts) * 16;
        cudaEvent_t begin, end;
        cudaEventCreate(&begin);
        cudaEventCreate(&end);
        std::vector<float> took;
        for (int round = 0; round < 41; round++) {
          Edit* edits = nullptr;
          unsigned* masks = nullptr;
          void* arguments[] = {&i.data, &rows, &logits[round % copies]->data, &columns, &edits, &masks, &gangs.data, &results.data};
          ok(cudaEventRecord(begin));
          ok(cudaLaunchCooperativeKernel((void*)draw, dim3(parts, together), dim3(THREADS), arguments, shared, 0));
          ok(cudaEventRecord(end));
          ok(cudaEventSynchronize(end));
          float ms;
          cudaEventElapsedTime(&ms, begin, end);
          took.push_back(1000 * ms);
        }
        std::sort(took.begin(), took.end());
        printf(",%.1f", took[20]);
      }
      printf("\n");
      for (auto* l : logits) delete l;
    }
  }
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "time") == 0) {
    times();
    return 0;
  }
  int rounds = argc > 1 ? atoi(argv[1]) : 100;
  int most = argc > 2 ? atoi(argv[2]) : 20000;
  std::mt19937_64 random(7);
  std::normal_distribution<float> gauss;
  auto uniform = [&] { return (double)(random() >> 11) * 0x1p-53; };
  Device<GangMemory> gangs(std::vector<GangMemory>(64));
  ok(cudaMemset(gangs.data, 0, 64 * sizeof(GangMemory)));
  ok(cudaFuncSetAttribute(draw, cudaFuncAttributeMaxDynamicSharedMemorySize, 200 << 10));
  int wrong = 0, near = 0, draws = 0, lists = 0;
  for (int round = 0; round < rounds; round++) {
    int columns = 1 + (int)(random() % (random() % 3 == 0 ? 40 : most));
    int rows = 1 + (int)(random() % 3), count = 1 + (int)(random() % 12);
    int parts = 1 + (int)(random() % 8), together = 1 + (int)(random() % 8);
    parts = std::max(parts, (columns + 39999) / 40000);
    int style = (int)(random() % 6);
    std::vector<float> logits((size_t)rows * columns);
    for (float& x : logits) {
      float z = gauss(random);
      x = style == 0 ? 3 * z : style == 1 ? (float)(int)(2 * z) : style == 2 ? 1.5f : style == 3 ? 8 * z * z * z
          : style == 4 ? (random() % 10 != 0 ? -INFINITY : z) : 5 + 1e-6f * z;
    }
    std::vector<Item> items;
    std::vector<Edit> edits;
    std::vector<unsigned> masks;
    std::vector<Expected> wanted;
    std::vector<std::vector<float>> values;
    int words = 0;
    for (int i = 0; i < count; i++) {
      Item item{};
      item.row = (int)(random() % rows);
      item.mask = -1;
      item.repetition = 1;
      item.result = words;
      item.kind = random() % 4 == 0 ? LIST : DRAW;
      std::vector<float> l(logits.begin() + (size_t)item.row * columns, logits.begin() + (size_t)(item.row + 1) * columns);
      double temperature = random() % 2 ? 1.0 : 0.1 + 2 * uniform();
      if (item.kind == LIST) {
        item.listed = (int)(random() % 21);
        words += 2 + 2 * item.listed;
        wanted.push_back({0, 0});
      } else {
        words += 2;
        item.inverse = random() % 6 == 0 ? 0 : (float)(1 / temperature);
        item.top_k = random() % 2 ? 0 : 1 + (int)(random() % (random() % 2 ? 50 : columns));
        item.top_p = random() % 2 ? 1 : random() % 2 ? 0.9 : 1e-9 + uniform() * 0.999;
        item.least = random() % 4 ? -INFINITY : temperature * std::log(0.3 * uniform() + 1e-9);
        item.uniform = uniform();
        std::vector<unsigned> mask((columns + 31) / 32, ~0u);
        if (random() % 3 == 0) {
          for (unsigned& word : mask) word = (unsigned)random();
          mask[0] |= 1;
          item.mask = (int)masks.size();
          masks.insert(masks.end(), mask.begin(), mask.end());
        }
        if (random() % 3 == 0) {
          item.edits = (int)edits.size();
          item.repetition = 1.25f;
          item.presence = 0.5f;
          item.frequency = 0.25f;
          std::vector<int> ids(columns);
          for (int k = 0; k < columns; k++) ids[k] = k;
          std::shuffle(ids.begin(), ids.end(), random);
          item.biases = (int)(random() % std::min(columns, 20));
          item.penalties = (int)(random() % std::min(columns, 2000));
          item.bans = columns > 3;
          for (int k = 0; k < item.biases; k++) {
            float bias = 4 * gauss(random);
            int bits;
            memcpy(&bits, &bias, 4);
            edits.push_back({ids[k], bits});
            l[ids[k]] += bias;
          }
          if (item.bans) {
            edits.push_back({ids[0], 0});
            l[ids[0]] = -INFINITY;
          }
          std::shuffle(ids.begin(), ids.end(), random);
          for (int k = 0; k < item.penalties; k++) {
            int times = (int)(random() % 3);
            edits.push_back({ids[k], times});
            float& x = l[ids[k]];
            x = x > 0 ? x / 1.25f : x * 1.25f;
            x -= times > 0 ? 0.25f * times + 0.5f : 0;
          }
        }
        for (int k = 0; k < columns; k++) {
          if (!(mask[k / 32] >> (k % 32) & 1)) l[k] = -INFINITY;
        }
        wanted.push_back(expected(l, item, temperature));
      }
      items.push_back(item);
      values.push_back(l);
    }
    std::vector<int> results(words + 1, -7);
    {
      Device<Item> i(items);
      Device<Edit> e(edits);
      Device<unsigned> m(masks);
      Device<float> x(logits);
      Device<int> r(results);
      void* arguments[] = {&i.data, &count, &x.data, &columns, &e.data, &m.data, &gangs.data, &r.data};
      int shared = VALUES_AT + ((columns + parts - 1) / parts + 3) / 4 * 16;
      ok(cudaLaunchCooperativeKernel((void*)draw, dim3(parts, together), dim3(THREADS), arguments, shared, 0));
      ok(cudaMemcpy(results.data(), r.data, results.size() * 4, cudaMemcpyDeviceToHost));
    }
    for (int i = 0; i < count; i++) {
      const int* got = &results[items[i].result];
      const std::vector<float>& l = values[i];
      if (items[i].kind == DRAW) {
        draws++;
        if (got[0] != wanted[i].token) {
          wanted[i].margin < 2e-6 ? near++ : wrong++;
          if (wanted[i].margin >= 2e-6) {
            printf("columns %d parts %d style %d k %d p %g 1/t %g: %d, not %d (margin %g)\n", columns, parts, style,
                   items[i].top_k, items[i].top_p, items[i].inverse, got[0], wanted[i].token, wanted[i].margin);
          }
        }
        continue;
      }
      lists++;
      std::vector<int> ids(columns);
      for (int k = 0; k < columns; k++) ids[k] = k;
      std::stable_sort(ids.begin(), ids.end(), [&](int a, int b) { return l[a] > l[b]; });
      if (!(std::fabs(l[ids[0]]) < INFINITY)) {
        wrong += got[0] != -1;
        continue;
      }
      int size = std::min(items[i].listed, columns);
      double sum = 0;
      for (float v : l) sum += std::exp((double)v - l[ids[0]]);
      double log_sum = l[ids[0]] + std::log(sum);
      float told;
      memcpy(&told, &got[1], 4);
      bool right = got[0] == size && std::fabs(told - log_sum) < 1e-5 * (1 + std::fabs(log_sum));
      for (int k = 0; k < size; k++) right &= got[2 + k] == ids[k];
      wrong += !right;
    }
  }
  printf("%d draws, %d lists: %d wrong, %d differ within 2e-6 of a limit\n", draws, lists, wrong, near);
  return wrong != 0;
}
