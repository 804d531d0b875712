# A toolchain for one of the ports of port.sh, which sets these variables:
#   GLINT_PORT_SYSTEM, _PROCESSOR, _C and _CXX (compilers), _TRIPLET (of its libraries), _ROOTS
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES
  GLINT_PORT_SYSTEM GLINT_PORT_PROCESSOR GLINT_PORT_C GLINT_PORT_CXX GLINT_PORT_TRIPLET GLINT_PORT_ROOTS)
set(CMAKE_FIND_ROOT_PATH ${GLINT_PORT_ROOTS})
if(GLINT_PORT_SYSTEM STREQUAL "Emscripten")
  execute_process(COMMAND em-config EMSCRIPTEN_ROOT OUTPUT_VARIABLE emscripten_root OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(EMSCRIPTEN_SYSTEM_PROCESSOR "${GLINT_PORT_PROCESSOR}")
  include("${emscripten_root}/cmake/Modules/Platform/Emscripten.cmake")
  # Exceptions of the machine itself: those by JavaScript would make a call of each call.
  set(CMAKE_C_FLAGS_INIT -msimd128)
  set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fwasm-exceptions")
  # Programs see the files of this machine. WASM is read before main: fetch() of Node.js knows no files.
  set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-sALLOW_MEMORY_GROWTH=1 -sNODERAWFS=1 -sEXIT_RUNTIME=1 -sWASM_ASYNC_COMPILATION=0")
  return()
endif()
set(CMAKE_SYSTEM_NAME "${GLINT_PORT_SYSTEM}")
set(CMAKE_SYSTEM_PROCESSOR "${GLINT_PORT_PROCESSOR}")
set(CMAKE_C_COMPILER "${GLINT_PORT_C}")
set(CMAKE_CXX_COMPILER "${GLINT_PORT_CXX}")
# Clang, which makes code for any machine, is told which.
set(CMAKE_C_COMPILER_TARGET "${GLINT_PORT_TRIPLET}")
set(CMAKE_CXX_COMPILER_TARGET "${GLINT_PORT_TRIPLET}")
if(GLINT_PORT_CXX MATCHES "clang")
  # GCC 12's std::stable_sort uses what C++17 calls deprecated, and Clang says so in every file.
  set(CMAKE_CXX_FLAGS_INIT -Wno-deprecated-declarations)
endif()
set(CMAKE_LIBRARY_ARCHITECTURE "${GLINT_PORT_TRIPLET}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
