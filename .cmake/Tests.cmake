# What ctest runs: every test case of glint_tests under its own name, so that `ctest -R conv` finds
# what it says, and the test scripts. `./run test` runs the same tests and counts them.

# A case that a filter does not find would pass: doctest succeeds when nothing ran.
set(glint_case_properties LABELS cases FAIL_REGULAR_EXPRESSION "test cases: +0")
include(doctest OPTIONAL)
if(COMMAND doctest_discover_tests AND NOT GLINT_SANITIZE MATCHES "thread" AND
   (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
  # This starts the program once it is linked.
  doctest_discover_tests(glint_tests PROPERTIES ${glint_case_properties})
else()
  # A program with ThreadSanitizer does not start on every kernel, and must not break its build.
  add_test(NAME glint_tests COMMAND glint_tests)
  set_tests_properties(glint_tests PROPERTIES ${glint_case_properties})
endif()

# The scripts run the programs; each has a temporary folder of its own. One that could not run
# exits with 77, or has counted nothing.
if(GLINT_BUILD_TOOLS)
  file(GLOB glint_test_scripts CONFIGURE_DEPENDS tests/*.sh)
  foreach(script IN LISTS glint_test_scripts)
    get_filename_component(name "${script}" NAME)
    set(labels scripts)
    if(name STREQUAL "bitstream_test.sh")
      list(APPEND labels python)  # the second decoder
    endif()
    add_test(NAME "tests/${name}" COMMAND bash "${script}" "$<TARGET_FILE_DIR:glint_program>")
    set_tests_properties("tests/${name}" PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77
      SKIP_REGULAR_EXPRESSION "(^|\n)0 passed, 0 failed")
  endforeach()
endif()
