# Installs libraries, headers, programs, models, the CMake package with glint::glint (all) and
# glint::core (samples only, no libpng), and a file for pkg-config for each. Components, for
# `cmake --install --component`: glint_runtime, glint_development, glint_tools, glint_models.
include(CMakePackageConfigHelpers)

set(glint_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/glint")

# A static glint needs Highway's few functions at link time. A static Highway is installed beside glint
# under another name, so that users of glint need not have one; a shared one is a dependency as usual.
set(glint_hwy_bundled OFF)
set(glint_pc_libs)
set(glint_pc_modules)
set(glint_pc_core_modules)
if(NOT BUILD_SHARED_LIBS)
  get_target_property(hwy_real ${glint_highway} ALIASED_TARGET)
  if(NOT hwy_real)
    set(hwy_real ${glint_highway})
  endif()
  get_target_property(hwy_type ${hwy_real} TYPE)
  if(hwy_type STREQUAL "STATIC_LIBRARY")
    set(glint_hwy_bundled ON)
    set(glint_hwy_file "${CMAKE_STATIC_LIBRARY_PREFIX}glint_hwy${CMAKE_STATIC_LIBRARY_SUFFIX}")
    install(FILES "$<TARGET_FILE:${hwy_real}>" DESTINATION "${CMAKE_INSTALL_LIBDIR}"
            RENAME "${glint_hwy_file}" COMPONENT glint_development)
    set(glint_hwy_installed glint::hwy)
    list(APPEND glint_pc_libs -lglint_hwy)
  else()
    set(glint_hwy_installed hwy::hwy)
    list(APPEND glint_pc_core_modules libhwy)
  endif()
  foreach(library IN ITEMS glint glint_core)
    target_link_libraries(${library} INTERFACE $<INSTALL_INTERFACE:$<LINK_ONLY:${glint_hwy_installed}>>)
  endforeach()
  list(APPEND glint_pc_core_modules zlib)
  if(glint_have_jpeg)
    list(APPEND glint_pc_modules libjpeg)
  endif()
  if(GLINT_PICTURE_FILES)
    list(APPEND glint_pc_modules libpng)
  endif()
  list(TRANSFORM glint_runtime_libraries PREPEND -l OUTPUT_VARIABLE runtime)
  list(APPEND glint_pc_libs ${runtime} -pthread)
endif()

function(glint_install_library target export)
  install(TARGETS ${target} EXPORT ${export}
    ARCHIVE COMPONENT glint_development
    LIBRARY COMPONENT glint_runtime NAMELINK_COMPONENT glint_development
    RUNTIME COMPONENT glint_runtime)
  install(EXPORT ${export} NAMESPACE glint:: DESTINATION "${glint_config_dir}" COMPONENT glint_development)
endfunction()
glint_install_library(glint glintTargets)
glint_install_library(glint_core glintCoreTargets)
install(DIRECTORY codec/include/glint DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT glint_development)
if(installed_programs)
  install(TARGETS ${installed_programs} COMPONENT glint_tools)
  install(DIRECTORY tools/samples DESTINATION "${CMAKE_INSTALL_DATADIR}/glint" COMPONENT glint_tools
          FILES_MATCHING PATTERN "*.png")
  # What desktops and ImageMagick look for: packaging/desktop/README.md.
  install(FILES packaging/desktop/glint.xml DESTINATION "${CMAKE_INSTALL_DATADIR}/mime/packages"
          COMPONENT glint_tools)
  install(FILES packaging/desktop/glint.thumbnailer DESTINATION "${CMAKE_INSTALL_DATADIR}/thumbnailers"
          COMPONENT glint_tools)
  install(FILES packaging/desktop/delegates.xml DESTINATION "${CMAKE_INSTALL_DATADIR}/glint/imagemagick"
          COMPONENT glint_tools)
endif()
if(GLINT_INSTALL_MODELS)
  install(DIRECTORY weights/ DESTINATION "${CMAKE_INSTALL_DATADIR}/glint" COMPONENT glint_models
          FILES_MATCHING PATTERN "*.safetensors"
          PATTERN "training" EXCLUDE PATTERN "convert" EXCLUDE PATTERN "__pycache__" EXCLUDE)
endif()

configure_package_config_file(.cmake/glintConfig.cmake.in "${PROJECT_BINARY_DIR}/glintConfig.cmake"
  INSTALL_DESTINATION "${glint_config_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_DATADIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/glintConfigVersion.cmake"
  COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/glintConfig.cmake" "${PROJECT_BINARY_DIR}/glintConfigVersion.cmake"
        DESTINATION "${glint_config_dir}" COMPONENT glint_development)

# Found from where the file lies, so that `cmake --install --prefix` and moved installations are right.
set(glint_pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH glint_pc_up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" glint_pc_up "${glint_pc_up}")
  set(glint_pc_prefix "\${pcfiledir}/${glint_pc_up}")
endif()
foreach(folder IN ITEMS LIBDIR INCLUDEDIR DATADIR)
  string(TOLOWER "glint_pc_${folder}" variable)
  set(${variable} "${CMAKE_INSTALL_${folder}}")
  if(NOT IS_ABSOLUTE "${${variable}}")
    string(PREPEND ${variable} "\${prefix}/")
  endif()
endforeach()
list(JOIN glint_pc_libs " " glint_pc_libs)
function(glint_pkg_config name library)
  list(JOIN ARGN " " modules)
  configure_file(.cmake/glint.pc.in "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
          COMPONENT glint_development)
endfunction()
glint_pkg_config(glint glint ${glint_pc_core_modules} ${glint_pc_modules})
glint_pkg_config(glint-core glint_core ${glint_pc_core_modules})
