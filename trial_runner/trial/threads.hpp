// How many threads one operation of a trial may use.
#pragma once

namespace lathe::trial {

/// Sets LibTorch's intra-op threads, and those of OpenBLAS, which has its own pool and would take every core: two
/// trials side by side would then wait for each other.
void set_threads(int threads);

}  // namespace lathe::trial
