# How every target is compiled and linked.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(LATHE_CCACHE ccache)
if(LATHE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LATHE_CCACHE}")
endif()

# LibTorch alone is 0.5 s of bfd a link; mold and lld take a tenth of it.
foreach(linker mold lld)
  find_program(LATHE_LINKER_${linker} NAMES ld.${linker})
  if(LATHE_LINKER_${linker})
    add_link_options(-fuse-ld=${linker})
    break()
  endif()
endforeach()

add_library(lathe_flags INTERFACE)
target_compile_options(lathe_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
# Optimising, GCC 12 suspects every std::optional and std::string it inlines; the sanitizers look for the real thing.
target_compile_options(lathe_flags INTERFACE
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-maybe-uninitialized -Wno-restrict>)
# Likewise it mistakes a coroutine frame's own operator delete for a mismatch.
set(lathe_coroutine_flags
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<OR:$<NOT:$<CONFIG:Debug>>,$<BOOL:${LATHE_SANITIZE}>>>:-Wno-mismatched-new-delete>)
if(LATHE_WERROR)
  target_compile_options(lathe_flags INTERFACE -Werror)
endif()

if(LATHE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
