# Installs libraries, headers, programs, weights, the CMake package with glint::glint (all) and
# glint::core (samples only, no libpng), and a file for pkg-config for each.
include(CMakePackageConfigHelpers)

set(glint_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/glint")

# A static glint needs Highway's few functions at link time. A static Highway is installed beside glint
# under another name, so that users of glint need not have one; a shared one is a dependency as usual.
set(glint_hwy_bundled OFF)
set(glint_pc_private "")
set(glint_pc_core_private "")
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
            RENAME "${glint_hwy_file}")
    set(glint_hwy_installed glint::hwy)
    string(APPEND glint_pc_private " -lglint_hwy")
  else()
    set(glint_hwy_installed hwy::hwy)
    string(APPEND glint_pc_private " -lhwy")
  endif()
  foreach(library IN ITEMS glint glint_core)
    target_link_libraries(${library} INTERFACE $<INSTALL_INTERFACE:$<LINK_ONLY:${glint_hwy_installed}>>)
  endforeach()
  set(glint_pc_core_private "${glint_pc_private} -lz -lstdc++ -lm -pthread")
  if(glint_have_jpeg)
    string(APPEND glint_pc_private " -ljpeg")
  endif()
  if(GLINT_PICTURE_FILES)
    string(APPEND glint_pc_private " -lpng")
  endif()
  string(APPEND glint_pc_private " -lz -lstdc++ -lm -pthread")
endif()

install(TARGETS glint EXPORT glintTargets)
install(TARGETS glint_core EXPORT glintCoreTargets)
install(DIRECTORY codec/include/glint DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
if(installed_programs)
  install(TARGETS ${installed_programs})
  install(DIRECTORY weights/ DESTINATION "${CMAKE_INSTALL_DATADIR}/glint"
          FILES_MATCHING PATTERN "*.safetensors" PATTERN "training" EXCLUDE)
  install(DIRECTORY tools/samples DESTINATION "${CMAKE_INSTALL_DATADIR}/glint"
          FILES_MATCHING PATTERN "*.png")
endif()
foreach(set IN ITEMS glintTargets glintCoreTargets)
  install(EXPORT ${set} NAMESPACE glint:: DESTINATION "${glint_config_dir}")
endforeach()

configure_package_config_file(.cmake/glintConfig.cmake.in "${PROJECT_BINARY_DIR}/glintConfig.cmake"
  INSTALL_DESTINATION "${glint_config_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/glintConfigVersion.cmake"
  COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/glintConfig.cmake" "${PROJECT_BINARY_DIR}/glintConfigVersion.cmake"
        DESTINATION "${glint_config_dir}")

# Found from where the file lies, so that `cmake --install --prefix` and moved installations are right.
set(glint_pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH glint_pc_up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" glint_pc_up "${glint_pc_up}")
  set(glint_pc_prefix "\${pcfiledir}/${glint_pc_up}")
endif()
foreach(folder IN ITEMS LIBDIR INCLUDEDIR)
  string(TOLOWER "glint_pc_${folder}" variable)
  set(${variable} "${CMAKE_INSTALL_${folder}}")
  if(NOT IS_ABSOLUTE "${${variable}}")
    string(PREPEND ${variable} "\${prefix}/")
  endif()
endforeach()
function(glint_pkg_config name library private)
  configure_file(.cmake/glint.pc.in "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()
glint_pkg_config(glint glint "${glint_pc_private}")
glint_pkg_config(glint-core glint_core "${glint_pc_core_private}")
