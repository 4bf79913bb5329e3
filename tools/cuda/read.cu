// Plain read of n 16-byte words, for the card's read bandwidth.
extern "C" __global__ void __launch_bounds__(256) readAll(const uint4* p, long n, uint4* out) {
  uint4 x = make_uint4(0, 0, 0, 0);
  long step = long(gridDim.x) * blockDim.x * 8;
  for (long i = long(blockIdx.x) * blockDim.x * 8 + threadIdx.x; i < n; i += step) {
    uint4 v[8];
#pragma unroll
    for (int j = 0; j < 8; j++) v[j] = i + j * 256 < n ? __ldcs(p + i + j * 256) : make_uint4(0, 0, 0, 0);
#pragma unroll
    for (int j = 0; j < 8; j++) {
      x.x ^= v[j].x;
      x.y ^= v[j].y;
      x.z ^= v[j].z;
      x.w ^= v[j].w;
    }
  }
  if ((x.x ^ x.y ^ x.z ^ x.w) == 0x12345) *out = x;
}
