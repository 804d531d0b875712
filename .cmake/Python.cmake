# The Python module glint (packaging/python): in the folder of a build as a package that can be imported with
# PYTHONPATH=build/python, and for pip (pyproject.toml), which takes the component glint_python.
if(BUILD_SHARED_LIBS)
  message(FATAL_ERROR "GLINT_PYTHON is ON: the module has the library inside; switch off BUILD_SHARED_LIBS")
endif()
if(NOT GLINT_PICTURE_FILES)
  message(FATAL_ERROR "GLINT_PYTHON is ON: the module reads picture files; GLINT_PICTURE_FILES has to be ON")
endif()
set(GLINT_PYTHON_MODELS light-int8 light-fp32 light-msssim-int8 CACHE STRING "The models that go into the wheel")
set(GLINT_PYTHON_LIBRARY glint CACHE STRING
    "The library in the module: the target glint, or the file of a static one that was built of the same sources")

find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module OPTIONAL_COMPONENTS Development.SABIModule)
execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
                OUTPUT_VARIABLE glint_nanobind OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
find_package(nanobind CONFIG REQUIRED HINTS "${glint_nanobind}")

# What the module shares with evaluate, compiled as it is.
set(glint_python_tools common/console common/detail_text common/machine common/messages common/signals common/text
                       evaluation/bd_rate evaluation/measurement evaluation/verification)
list(TRANSFORM glint_python_tools REPLACE "(.+)" "tools/\\1.cc")
file(GLOB python_sources CONFIGURE_DEPENDS packaging/python/*.cc packaging/python/*.h)
nanobind_add_module(glint_python STABLE_ABI NB_STATIC NB_SUPPRESS_WARNINGS ${python_sources} ${glint_python_tools})
glint_defaults(glint_python)
set(glint_python_dir "${PROJECT_BINARY_DIR}/python/glint")
set_target_properties(glint_python PROPERTIES OUTPUT_NAME _glint LIBRARY_OUTPUT_DIRECTORY "${glint_python_dir}")
target_link_libraries(glint_python PRIVATE
  ${GLINT_PYTHON_LIBRARY} glint_settings ${glint_core_libraries} ${glint_picture_libraries})
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  # Nothing but the module's own start is seen outside: another Glint in the process stays another.
  target_link_options(glint_python PRIVATE -Wl,--exclude-libs,ALL)
endif()
nanobind_add_stub(glint_python_stub MODULE _glint OUTPUT "${glint_python_dir}/_glint.pyi"
                  PYTHON_PATH "${glint_python_dir}" DEPENDS glint_python)

file(MAKE_DIRECTORY "${glint_python_dir}/models")
file(GLOB python_files CONFIGURE_DEPENDS packaging/python/glint/*.py packaging/python/glint/py.typed)
foreach(path IN LISTS python_files)
  get_filename_component(name "${path}" NAME)
  file(CREATE_LINK "${path}" "${glint_python_dir}/${name}" SYMBOLIC)
endforeach()
set(python_models)
foreach(name IN LISTS GLINT_PYTHON_MODELS)
  set(path "${PROJECT_SOURCE_DIR}/weights/${name}.safetensors")
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "GLINT_PYTHON_MODELS: there is no model ${name} in weights/")
  endif()
  list(APPEND python_models "${path}")
  file(CREATE_LINK "${path}" "${glint_python_dir}/models/${name}.safetensors" SYMBOLIC)
endforeach()

install(TARGETS glint_python LIBRARY DESTINATION glint COMPONENT glint_python)
install(FILES "${glint_python_dir}/_glint.pyi" DESTINATION glint COMPONENT glint_python)
install(FILES ${python_models} DESTINATION glint/models COMPONENT glint_python)
