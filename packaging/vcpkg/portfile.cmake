# An overlay port of this tree: vcpkg install glint --overlay-ports=packaging/vcpkg
# Untested: nobody has run vcpkg on it.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS feature_options FEATURES
  jpeg GLINT_JPEG
  models GLINT_INSTALL_MODELS
  picture-files GLINT_PICTURE_FILES)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS ${feature_options}
  -DGLINT_BUILD_TESTS=OFF -DGLINT_BUILD_TOOLS=OFF -DGLINT_BUILD_BENCH=OFF -DGLINT_BUILD_CONFORMANCE=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/glint)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
