package org.chunkllama.cuda.driver;

import java.lang.invoke.MethodHandle;

/** The functions of NVRTC, the run-time compiler, that are called. */
record NvrtcTable(
    @NativeSignature(
            name = "nvrtcVersion",
            arguments = {long.class, long.class})
        MethodHandle version, // (int *major, int *minor)
    @NativeSignature(
            name = "nvrtcGetErrorString",
            returns = long.class,
            arguments = {int.class})
        MethodHandle errorString, // (nvrtcResult): const char *
    @NativeSignature(
            name = "nvrtcCreateProgram",
            arguments = {long.class, long.class, long.class, int.class, long.class, long.class})
        MethodHandle
            createProgram, // (nvrtcProgram *, source, name, headers, const char *const *, const
    // char *const *)
    @NativeSignature(
            name = "nvrtcCompileProgram",
            arguments = {long.class, int.class, long.class})
        MethodHandle compileProgram, // (nvrtcProgram, int, const char *const *options)
    @NativeSignature(
            name = "nvrtcGetProgramLogSize",
            arguments = {long.class, long.class})
        MethodHandle logSize, // (nvrtcProgram, size_t *)
    @NativeSignature(
            name = "nvrtcGetProgramLog",
            arguments = {long.class, long.class})
        MethodHandle log, // (nvrtcProgram, char *)
    @NativeSignature(
            name = "nvrtcGetCUBINSize",
            arguments = {long.class, long.class})
        MethodHandle cubinSize, // (nvrtcProgram, size_t *)
    @NativeSignature(
            name = "nvrtcGetCUBIN",
            arguments = {long.class, long.class})
        MethodHandle cubin, // (nvrtcProgram, char *)
    @NativeSignature(
            name = "nvrtcDestroyProgram",
            arguments = {long.class})
        MethodHandle destroyProgram) // (nvrtcProgram *)
{}
