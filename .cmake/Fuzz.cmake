# The fuzz targets of tests/fuzz, in two programs that are built when asked for: glint_fuzz_replay, with
# every compiler, and glint_fuzz where GLINT_SANITIZE has fuzzer-no-link (clang: ./run fuzz).
file(GLOB glint_fuzz_sources CONFIGURE_DEPENDS tests/fuzz/*.cc tests/fuzz/*.h)
list(FILTER glint_fuzz_sources EXCLUDE REGEX "_main\\.cc$")
set(glint_fuzz_helpers tests/codec_helpers.cc tests/drawn_model.cc tests/model_builder.cc tests/mutate.cc
    tests/picture_helpers.cc)
if(glint_have_jpeg)
  list(APPEND glint_fuzz_helpers tests/jpeg_maker.cc)
endif()
add_library(glint_fuzz_objects OBJECT EXCLUDE_FROM_ALL ${glint_fuzz_sources} ${glint_fuzz_helpers})
glint_defaults(glint_fuzz_objects)
target_link_libraries(glint_fuzz_objects PUBLIC
  glint_checked_objects nlohmann_json::nlohmann_json doctest::doctest)
# What the helpers require of doctest stays a call without a test around it. What such checks alone
# use is unused then.
target_compile_definitions(glint_fuzz_objects
  PRIVATE DOCTEST_CONFIG_DISABLE DOCTEST_CONFIG_EVALUATE_ASSERTS_EVEN_WHEN_DISABLED
          DOCTEST_CONFIG_ASSERTS_RETURN_VALUES
          GLINT_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data" GLINT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
          $<$<BOOL:${glint_have_jpeg}>:GLINT_FUZZ_JPEG>)
if(NOT GLINT_SANITIZE MATCHES "fuzzer-no-link")
  # Their own speed matters less than how long they compile.
  target_compile_options(glint_fuzz_objects PRIVATE -O0 -g0)
endif()
set_source_files_properties(${glint_fuzz_helpers} TARGET_DIRECTORY glint_fuzz_objects PROPERTIES
  COMPILE_OPTIONS -Wno-unused-value)

function(glint_fuzz_program target)
  add_executable(${target} EXCLUDE_FROM_ALL ${ARGN} $<TARGET_OBJECTS:glint_kernel_objects>)
  glint_defaults(${target})
  target_link_libraries(${target} PRIVATE glint_fuzz_objects glint_checked_objects)
endfunction()
glint_fuzz_program(glint_fuzz_replay tests/fuzz/replay_main.cc)
if(GLINT_SANITIZE MATCHES "fuzzer-no-link")
  glint_fuzz_program(glint_fuzz tests/fuzz/fuzz_main.cc)
  target_link_options(glint_fuzz PRIVATE -fsanitize=fuzzer)
endif()
