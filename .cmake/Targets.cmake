# Which SIMD targets kernels are compiled for: glint_target_definitions and glint_target_options.

# HWY_SCALAR lacks operations that the kernels need. Processors without SIMD of Highway's have
# HWY_EMU128, plain loops in place of instructions; others never need it.
set(glint_disabled_targets HWY_SCALAR)
set(glint_target_options)
if(CMAKE_SIZEOF_VOID_P EQUAL 4 AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(i[3-6]86|x86.*|amd64|AMD64)$" AND NOT MSVC)
  # The x87 unit rounds results twice, so latents would differ from those of other machines.
  list(APPEND glint_target_options -msse2 -mfpmath=sse)
endif()
if(CMAKE_SIZEOF_VOID_P EQUAL 4 AND CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
  # NEON of 32 bits takes the smallest numbers for zeros, and has no division: other latents again.
  list(APPEND glint_disabled_targets HWY_ALL_NEON)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(i[3-6]86|x86.*|amd64|AMD64)$")
  # Left out, for each takes as long to compile as the others: AVX3_ZEN4 is AVX3_DL, instruction for instruction;
  # AVX3_SPR differs by a few, and by sums of float16, which are slower there than others (docs/PERFORMANCE.md); what
  # has SSSE3 and no SSE4 (before 2008) runs SSE2.
  list(APPEND glint_disabled_targets HWY_SSSE3 HWY_AVX3_ZEN4 HWY_AVX3_SPR)
endif()
# Kernels keep vectors in arrays, which vectors without a size at compile time cannot be in.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  list(APPEND glint_disabled_targets HWY_ALL_SVE)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^riscv")
  list(APPEND glint_disabled_targets HWY_RVV)
endif()

include(CheckCXXSourceCompiles)
include(CMakePushCheckState)
cmake_push_check_state(RESET)
list(JOIN glint_disabled_targets "|" disabled)
get_target_property(imported ${glint_highway} IMPORTED)
if(imported)
  set(CMAKE_REQUIRED_LIBRARIES ${glint_highway})
  set(CMAKE_TRY_COMPILE_CONFIGURATION "${CMAKE_BUILD_TYPE}")  # on which its folders may depend
else()
  get_target_property(CMAKE_REQUIRED_INCLUDES ${glint_highway} INTERFACE_INCLUDE_DIRECTORIES)
endif()
set(CMAKE_REQUIRED_DEFINITIONS "-DHWY_DISABLED_TARGETS=(${disabled})" -DHWY_BROKEN_EMU128=0)
list(JOIN glint_target_options " " CMAKE_REQUIRED_FLAGS)
check_cxx_source_compiles("
  #include <hwy/detect_targets.h>
  #if HWY_STATIC_TARGET != HWY_EMU128
  #error there are instructions
  #endif
  int main() { return 0; }" GLINT_EMULATES_SIMD)
cmake_pop_check_state()

if(NOT GLINT_EMULATES_SIMD)
  list(APPEND glint_disabled_targets HWY_EMU128)
  set(glint_target_definitions HWY_WANT_AVX3_DL)  # off in Highway 1.2 unless it is asked for
else()
  message(STATUS "No SIMD target for ${CMAKE_SYSTEM_PROCESSOR}: kernels run as plain loops")
  set(glint_target_definitions HWY_COMPILE_ONLY_EMU128 HWY_BROKEN_EMU128=0)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC miscompiles the emulation where it vectorises it (its bug 106322, Highway's issue 1683), and GCC 12 for ARM of
    # 32 bits at -O3 where it goes by types: colours of details came out wrong.
    list(APPEND glint_target_options -fno-tree-loop-vectorize -fno-tree-slp-vectorize -fno-strict-aliasing)
  endif()
endif()
if(GLINT_DEV_TARGETS)
  list(APPEND glint_disabled_targets HWY_SSE4 HWY_AVX3)
endif()
list(JOIN glint_disabled_targets "|" disabled)
list(APPEND glint_target_definitions "HWY_DISABLED_TARGETS=(${disabled})")
