// Loops that are worth being compiled for wider registers than the x86-64 that everyone has.
#pragma once

// Put before a function: it is compiled for AVX-512 and AVX2 too, and the machine's is chosen at start-up. Sanitizers
// are not ready when that happens, and an attribute cannot be left out by other means.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define LATHE_VECTORISED [[gnu::target_clones("avx512f", "avx2", "default")]]
#else
#define LATHE_VECTORISED
#endif
