#include "threads.hpp"

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace lathe::trial {

void set_threads(int threads) {
  at::set_num_threads(threads);
  // Looked up at run time, since any BLAS may stand behind LibTorch.
  using SetThreads = void (*)(int);
  if (void* symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) reinterpret_cast<SetThreads>(symbol)(threads);
}

}  // namespace lathe::trial
