# Highway: an installed one of at least 1.2 (or one that `./run` built), else the pinned official release.
set(GLINT_HIGHWAY_VERSION 1.2.0)
set(GLINT_HIGHWAY_SHA256 58e9d5d41d6573ad15245ad76aec53a69499ca7480c092d899c4424812ed906f)

set(glint_cache "$ENV{XDG_CACHE_HOME}")
if(NOT glint_cache)
  set(glint_cache "$ENV{HOME}/.cache")
endif()
find_package(hwy 1.2 QUIET CONFIG PATHS "${glint_cache}/glint/highway-${GLINT_HIGHWAY_VERSION}")
if(NOT TARGET hwy::hwy)
  include(FetchContent)
  message(STATUS "No Highway >= 1.2 installed: fetching release ${GLINT_HIGHWAY_VERSION}")
  set(HWY_ENABLE_TESTS OFF CACHE BOOL "" FORCE)
  set(HWY_ENABLE_EXAMPLES OFF CACHE BOOL "" FORCE)
  set(HWY_ENABLE_CONTRIB OFF CACHE BOOL "" FORCE)
  set(HWY_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
  set(HWY_FORCE_STATIC_LIBS ON CACHE BOOL "" FORCE)
  FetchContent_Declare(highway
    URL "https://github.com/google/highway/releases/download/${GLINT_HIGHWAY_VERSION}/highway-${GLINT_HIGHWAY_VERSION}.tar.gz"
    URL_HASH SHA256=${GLINT_HIGHWAY_SHA256})
  FetchContent_MakeAvailable(highway)
  # Not our warnings to mend (FetchContent's own SYSTEM needs CMake 3.25).
  get_target_property(hwy_includes hwy INTERFACE_INCLUDE_DIRECTORIES)
  set_target_properties(hwy PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${hwy_includes}")
  set_target_properties(hwy PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(NOT TARGET hwy::hwy)
    add_library(hwy::hwy ALIAS hwy)
  endif()
endif()
