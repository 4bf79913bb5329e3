// Every candidate of cuBLASLt's heuristic for a decode step's products, weights cold in L2: nvcc -O2 -std=c++17 -o products products.cu -lcublasLt
// A line for each weight and number of rows: the heuristic's first, the three fastest, each timed again over more runs.
#include <cublasLt.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#define OK(call)                                             \
  do {                                                       \
    auto status_ = (call);                                   \
    if (status_) {                                           \
      printf("%s: %d\n", #call, (int)status_);               \
      exit(1);                                               \
    }                                                        \
  } while (0)

struct Weight {
  const char* name;
  int outputs, inputs;
  bool add;
};

static const Weight WEIGHTS[] = {{"7b qkv", 12288, 4096, false},   {"7b o", 4096, 4096, true},        {"7b gate-up", 22016, 4096, false}, {"7b down", 4096, 11008, true},
                                 {"8b qkv", 6144, 4096, false},    {"8b gate-up", 28672, 4096, false}, {"8b down", 4096, 14336, true}};

int main() {
  cublasLtHandle_t handle;
  OK(cublasLtCreate(&handle));
  size_t room = 32 << 20, pool = 1500ull << 20;
  void* workspace;
  char *weights, *in;
  float* out;
  OK(cudaMalloc(&workspace, room));
  OK(cudaMalloc(&weights, pool));
  OK(cudaMemset(weights, 0x11, pool));
  OK(cudaMalloc(&in, 64 << 20));
  OK(cudaMemset(in, 0x12, 64 << 20));
  OK(cudaMalloc(&out, 256 << 20));
  OK(cudaMemset(out, 0, 256 << 20));
  cudaStream_t stream;
  cudaEvent_t begin, end;
  OK(cudaStreamCreate(&stream));
  OK(cudaEventCreate(&begin));
  OK(cudaEventCreate(&end));
  for (auto& w : WEIGHTS) {
    for (int rows : {1, 8, 32, 64, 128}) {
      cublasLtMatmulDesc_t desc;
      cublasOperation_t transposed = CUBLAS_OP_T;
      cublasLtMatrixLayout_t a, b, c;
      cublasLtMatmulPreference_t preference;
      OK(cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F));
      OK(cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed));
      OK(cublasLtMatrixLayoutCreate(&a, CUDA_R_16F, w.inputs, w.outputs, w.inputs));
      OK(cublasLtMatrixLayoutCreate(&b, CUDA_R_16F, w.inputs, rows, w.inputs));
      OK(cublasLtMatrixLayoutCreate(&c, CUDA_R_32F, w.outputs, rows, w.outputs));
      OK(cublasLtMatmulPreferenceCreate(&preference));
      OK(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &room, sizeof room));
      std::vector<cublasLtMatmulHeuristicResult_t> candidates(200);
      int found = 0;
      OK(cublasLtMatmulAlgoGetHeuristic(handle, desc, a, b, c, c, preference, (int)candidates.size(), candidates.data(), &found));
      size_t bytes = 2ull * w.outputs * w.inputs;
      int copies = (int)std::max<size_t>(1, std::min<size_t>(pool / bytes, (200ull << 20) / bytes + 1));
      float one = 1, beta = w.add ? 1 : 0;
      auto time = [&](int i, int runs) {
        auto run = [&](int j) {
          return cublasLtMatmul(handle, desc, &one, weights + (size_t)(j % copies) * bytes, a, in, b, &beta, out, c, out, c, &candidates[i].algo, workspace,
                                candidates[i].workspaceSize, stream);
        };
        if (candidates[i].state || run(0)) return 1e9f;
        OK(cudaEventRecord(begin, stream));
        for (int j = 1; j <= runs; j++) run(j);
        OK(cudaEventRecord(end, stream));
        OK(cudaEventSynchronize(end));
        float ms;
        OK(cudaEventElapsedTime(&ms, begin, end));
        return ms * 1000 / runs;
      };
      std::vector<std::pair<float, int>> times;
      for (int i = 0; i < found; i++) times.push_back({time(i, 12), i});
      float first = found ? times[0].first : 0;
      std::sort(times.begin(), times.end());
      printf("%-10s rows %-3d floor %5.1f, %d candidates, the first %5.1f; fastest", w.name, rows, bytes / 3.02e6, found, first);
      for (int j = 0; j < std::min(3, found); j++) printf(" %.1f, again %.1f (number %d);", times[j].first, time(times[j].second, 30), times[j].second);
      printf("\n");
    }
  }
}
