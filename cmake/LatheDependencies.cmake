# Everything from outside, in one place. Debian 12's packages are enough; see packages.txt for their names.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS system filesystem url)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)
if(LATHE_TESTS)
  find_package(GTest REQUIRED)
endif()
find_package(Torch REQUIRED)

# yaml-cpp 0.7 exports a plain library name, 0.8 a namespaced target.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()

# LibTorch as one target. System include, so that its headers raise no warnings of ours.
add_library(lathe_torch INTERFACE)
target_include_directories(lathe_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(lathe_torch INTERFACE ${TORCH_LIBRARIES})
separate_arguments(lathe_torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(lathe_torch INTERFACE ${lathe_torch_flags})

# Half the time of a source that uses LibTorch goes into reading its headers; targets that do reuse one precompiled header.
add_library(lathe_torch_headers OBJECT "${CMAKE_CURRENT_LIST_DIR}/torch_headers.cpp")
target_link_libraries(lathe_torch_headers PRIVATE lathe_torch lathe_flags fmt::fmt)
target_precompile_headers(lathe_torch_headers PRIVATE <ATen/ATen.h> <torch/csrc/jit/api/module.h> <fmt/format.h>)

# libonnx as one target: its types, checker and shape inference. System include for the same reason.
find_package(ONNX REQUIRED)
add_library(lathe_onnx INTERFACE)
target_link_libraries(lathe_onnx INTERFACE onnx onnx_proto)
foreach(library onnx onnx_proto)
  get_target_property(lathe_onnx_include ${library} INTERFACE_INCLUDE_DIRECTORIES)
  if(lathe_onnx_include)
    target_include_directories(lathe_onnx SYSTEM INTERFACE ${lathe_onnx_include})
  endif()
endforeach()

if(LATHE_SANITIZE)
  # The check of dynamic types needs type information that LibTorch keeps to itself.
  target_compile_options(lathe_torch INTERFACE -fno-sanitize=vptr)
endif()

# Asio and Beast are compiled once; everybody else only declares.
add_library(lathe_asio STATIC "${CMAKE_CURRENT_LIST_DIR}/asio.cpp")
target_compile_definitions(lathe_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(lathe_asio PUBLIC Boost::headers Threads::Threads)
add_library(lathe_beast STATIC "${CMAKE_CURRENT_LIST_DIR}/beast.cpp")
target_compile_definitions(lathe_beast PUBLIC BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(lathe_beast PUBLIC lathe_asio)
add_library(lathe_asio_ssl STATIC "${CMAKE_CURRENT_LIST_DIR}/asio_ssl.cpp")
target_link_libraries(lathe_asio_ssl PUBLIC lathe_asio OpenSSL::SSL)
