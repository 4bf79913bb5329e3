// Rotary embedding, in place.

// One thread a pair of values of one head. interleaved: pairs (0, 1), (2, 3), ...; otherwise
// (0, half), (1, half + 1), ...
extern "C" __global__ void rotary(
    float* __restrict__ x,              // [rows][columns]
    int rows,
    int columns,
    int first_column,
    int heads,
    int head_dim,
    const float* __restrict__ cosines,  // [positions][half]
    const float* __restrict__ sines,    // [positions][half]
    int half,
    int interleaved,
    const int* __restrict__ positions)  // [rows]
{
  int row = blockIdx.y;
  int index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= heads * half) {
    return;
  }
  int pair = index % half;
  float* head = x + (long)row * columns + first_column + (index / half) * head_dim;
  float* first = head + (interleaved ? 2 * pair : pair);
  float* second = first + (interleaved ? 1 : half);
  long at = (long)positions[row] * half + pair;
  float cosine = cosines[at];
  float sine = sines[at];
  float a = *first;
  float b = *second;
  *first = a * cosine - b * sine;
  *second = b * cosine + a * sine;
}
