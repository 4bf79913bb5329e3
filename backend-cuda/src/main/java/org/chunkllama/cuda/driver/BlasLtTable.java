package org.chunkllama.cuda.driver;

import java.lang.invoke.MethodHandle;

/** The functions of cuBLASLt that are called. */
record BlasLtTable(
    @NativeSignature(
            name = "cublasLtCreate",
            arguments = {long.class})
        MethodHandle create, // (cublasLtHandle_t *)
    @NativeSignature(
            name = "cublasLtDestroy",
            arguments = {long.class})
        MethodHandle destroy, // (cublasLtHandle_t)
    @NativeSignature(name = "cublasLtGetVersion", returns = long.class)
        MethodHandle version, // (): size_t
    @NativeSignature(
            name = "cublasLtGetStatusName",
            returns = long.class,
            arguments = {int.class})
        MethodHandle statusName, // (cublasStatus_t): const char *
    @NativeSignature(
            name = "cublasLtMatmulDescCreate",
            arguments = {long.class, int.class, int.class})
        MethodHandle matmulDescCreate, // (desc *, cublasComputeType_t, cudaDataType_t scale)
    @NativeSignature(
            name = "cublasLtMatmulDescSetAttribute",
            arguments = {long.class, int.class, long.class, long.class})
        MethodHandle matmulDescSet, // (desc, attribute, const void *, size_t)
    @NativeSignature(
            name = "cublasLtMatmulDescDestroy",
            arguments = {long.class})
        MethodHandle matmulDescDestroy, // (desc)
    @NativeSignature(
            name = "cublasLtMatrixLayoutCreate",
            arguments = {long.class, int.class, long.class, long.class, long.class})
        MethodHandle
            layoutCreate, // (layout *, cudaDataType, uint64 rows, uint64 columns, int64 ld)
    @NativeSignature(
            name = "cublasLtMatrixLayoutDestroy",
            arguments = {long.class})
        MethodHandle layoutDestroy, // (layout)
    @NativeSignature(
            name = "cublasLtMatmulPreferenceCreate",
            arguments = {long.class})
        MethodHandle preferenceCreate, // (preference *)
    @NativeSignature(
            name = "cublasLtMatmulPreferenceSetAttribute",
            arguments = {long.class, int.class, long.class, long.class})
        MethodHandle preferenceSet, // (preference, attribute, const void *, size_t)
    @NativeSignature(
            name = "cublasLtMatmulPreferenceDestroy",
            arguments = {long.class})
        MethodHandle preferenceDestroy, // (preference)
    @NativeSignature(
            name = "cublasLtMatmulAlgoGetHeuristic",
            arguments = {
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              int.class,
              long.class,
              long.class
            })
        MethodHandle
            heuristic, // (handle, desc, A, B, C, D, preference, int wanted, results *, int *found)
    @NativeSignature(
            name = "cublasLtMatmulAlgoCheck",
            arguments = {
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class
            })
        MethodHandle algorithmCheck, // (handle, desc, A, B, C, D, const algo *, result *)
    @NativeSignature(
            name = "cublasLtMatmul",
            arguments = {
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class,
              long.class
            })
        MethodHandle
            matmul) // (handle, desc, alpha, A, a, B, b, beta, C, c, D, d, algo, workspace, size_t,
// stream)
{}
