// The columns of a row, dealt out to the threads along x.
#pragma once

// four(j) for four columns from j on, where all rows are aligned to four values; otherwise one(j) for each.
template <class Four, class One>
__device__ __forceinline__ void eachColumn(int columns, Four four, One one) {
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  int threads = gridDim.x * blockDim.x;
  if (columns % 4 == 0) {
    for (int j = 4 * index; j < columns; j += 4 * threads) {
      four(j);
    }
  } else {
    for (int j = index; j < columns; j += threads) {
      one(j);
    }
  }
}
