package org.chunkllama.cuda.driver;

import java.lang.invoke.MethodHandle;

/** The functions of the CUDA driver (libcuda) that are called. Every one returns its status. */
record DriverTable(
    @NativeSignature(
            name = "cuInit",
            arguments = {int.class})
        MethodHandle init, // (unsigned)
    @NativeSignature(
            name = "cuDriverGetVersion",
            arguments = {long.class})
        MethodHandle driverVersion, // (int *)
    @NativeSignature(
            name = "cuGetErrorName",
            arguments = {int.class, long.class})
        MethodHandle errorName, // (CUresult, const char **)
    @NativeSignature(
            name = "cuGetErrorString",
            arguments = {int.class, long.class})
        MethodHandle errorString, // (CUresult, const char **)
    @NativeSignature(
            name = "cuDeviceGetCount",
            arguments = {long.class})
        MethodHandle deviceCount, // (int *)
    @NativeSignature(
            name = "cuDeviceGet",
            arguments = {long.class, int.class})
        MethodHandle deviceGet, // (CUdevice *, int)
    @NativeSignature(
            name = "cuDeviceGetName",
            arguments = {long.class, int.class, int.class})
        MethodHandle deviceName, // (char *, int, CUdevice)
    @NativeSignature(
            name = "cuDeviceGetAttribute",
            arguments = {long.class, int.class, int.class})
        MethodHandle deviceAttribute, // (int *, CUdevice_attribute, CUdevice)
    @NativeSignature(
            name = "cuDevicePrimaryCtxRetain",
            arguments = {long.class, int.class})
        MethodHandle contextRetain, // (CUcontext *, CUdevice)
    @NativeSignature(
            name = "cuDevicePrimaryCtxRelease_v2",
            arguments = {int.class})
        MethodHandle contextRelease, // (CUdevice)
    @NativeSignature(
            name = "cuCtxSetCurrent",
            arguments = {long.class})
        MethodHandle contextSetCurrent, // (CUcontext)
    @NativeSignature(
            name = "cuMemGetInfo_v2",
            arguments = {long.class, long.class})
        MethodHandle memoryInfo, // (size_t *free, size_t *total)
    @NativeSignature(
            name = "cuMemAlloc_v2",
            arguments = {long.class, long.class})
        MethodHandle memoryAllocate, // (CUdeviceptr *, size_t)
    @NativeSignature(
            name = "cuMemFree_v2",
            arguments = {long.class})
        MethodHandle memoryFree, // (CUdeviceptr)
    @NativeSignature(
            name = "cuMemHostAlloc",
            arguments = {long.class, long.class, int.class})
        MethodHandle hostAllocate, // (void **, size_t, unsigned flags)
    @NativeSignature(
            name = "cuMemFreeHost",
            arguments = {long.class})
        MethodHandle hostFree, // (void *)
    @NativeSignature(
            name = "cuMemcpyHtoDAsync_v2",
            arguments = {long.class, long.class, long.class, long.class})
        MethodHandle copyToDevice, // (CUdeviceptr, const void *, size_t, CUstream)
    @NativeSignature(
            name = "cuMemcpyDtoHAsync_v2",
            arguments = {long.class, long.class, long.class, long.class})
        MethodHandle copyToHost, // (void *, CUdeviceptr, size_t, CUstream)
    @NativeSignature(
            name = "cuMemcpyDtoDAsync_v2",
            arguments = {long.class, long.class, long.class, long.class})
        MethodHandle copyOnDevice, // (CUdeviceptr, CUdeviceptr, size_t, CUstream)
    @NativeSignature(
            name = "cuMemsetD8Async",
            arguments = {long.class, byte.class, long.class, long.class})
        MethodHandle fillBytes, // (CUdeviceptr, unsigned char, size_t, CUstream)
    @NativeSignature(
            name = "cuStreamCreate",
            arguments = {long.class, int.class})
        MethodHandle streamCreate, // (CUstream *, unsigned flags)
    @NativeSignature(
            name = "cuStreamDestroy_v2",
            arguments = {long.class})
        MethodHandle streamDestroy, // (CUstream)
    @NativeSignature(
            name = "cuStreamSynchronize",
            arguments = {long.class})
        MethodHandle streamSynchronize, // (CUstream)
    @NativeSignature(
            name = "cuStreamBeginCapture_v2",
            arguments = {long.class, int.class})
        MethodHandle captureBegin, // (CUstream, CUstreamCaptureMode)
    @NativeSignature(
            name = "cuStreamEndCapture",
            arguments = {long.class, long.class})
        MethodHandle captureEnd, // (CUstream, CUgraph *)
    @NativeSignature(
            name = "cuEventCreate",
            arguments = {long.class, int.class})
        MethodHandle eventCreate, // (CUevent *, unsigned flags)
    @NativeSignature(
            name = "cuEventDestroy_v2",
            arguments = {long.class})
        MethodHandle eventDestroy, // (CUevent)
    @NativeSignature(
            name = "cuEventRecord",
            arguments = {long.class, long.class})
        MethodHandle eventRecord, // (CUevent, CUstream)
    @NativeSignature(
            name = "cuEventSynchronize",
            arguments = {long.class})
        MethodHandle eventSynchronize, // (CUevent)
    @NativeSignature(
            name = "cuEventElapsedTime",
            arguments = {long.class, long.class, long.class})
        MethodHandle eventElapsed, // (float *milliseconds, CUevent, CUevent)
    @NativeSignature(
            name = "cuModuleLoadData",
            arguments = {long.class, long.class})
        MethodHandle moduleLoad, // (CUmodule *, const void *image)
    @NativeSignature(
            name = "cuModuleUnload",
            arguments = {long.class})
        MethodHandle moduleUnload, // (CUmodule)
    @NativeSignature(
            name = "cuModuleGetFunction",
            arguments = {long.class, long.class, long.class})
        MethodHandle moduleFunction, // (CUfunction *, CUmodule, const char *)
    @NativeSignature(
            name = "cuModuleGetGlobal_v2",
            arguments = {long.class, long.class, long.class, long.class})
        MethodHandle moduleGlobal, // (CUdeviceptr *, size_t *, CUmodule, const char *)
    @NativeSignature(
            name = "cuMemcpyDtoH_v2",
            arguments = {long.class, long.class, long.class})
        MethodHandle copyToHostNow, // (void *, CUdeviceptr, size_t)
    @NativeSignature(
            name = "cuFuncSetAttribute",
            arguments = {long.class, int.class, int.class})
        MethodHandle functionSetAttribute, // (CUfunction, CUfunction_attribute, int)
    @NativeSignature(
            name = "cuFuncGetAttribute",
            arguments = {long.class, int.class, long.class})
        MethodHandle functionAttribute, // (int *, CUfunction_attribute, CUfunction)
    @NativeSignature(
            name = "cuLaunchKernelEx",
            arguments = {long.class, long.class, long.class, long.class})
        MethodHandle launch, // (const CUlaunchConfig *, CUfunction, void **, void **)
    @NativeSignature(
            name = "cuGraphInstantiateWithFlags",
            arguments = {long.class, long.class, long.class})
        MethodHandle graphInstantiate, // (CUgraphExec *, CUgraph, unsigned long long)
    @NativeSignature(
            name = "cuGraphLaunch",
            arguments = {long.class, long.class})
        MethodHandle graphLaunch, // (CUgraphExec, CUstream)
    @NativeSignature(
            name = "cuGraphDestroy",
            arguments = {long.class})
        MethodHandle graphDestroy, // (CUgraph)
    @NativeSignature(
            name = "cuGraphExecDestroy",
            arguments = {long.class})
        MethodHandle graphExecDestroy) // (CUgraphExec)
{}
