# Highway of at least 1.2, as ${glint_highway}: the target of a project around this one, else an installed
# package, else the pinned official release, where GLINT_FETCH_HIGHWAY asks for a download.
option(GLINT_FETCH_HIGHWAY "Download Highway where neither the parent project nor the system has it" OFF)
set(GLINT_HIGHWAY_VERSION 1.2.0)
set(GLINT_HIGHWAY_SHA256 58e9d5d41d6573ad15245ad76aec53a69499ca7480c092d899c4424812ed906f)

set(glint_highway hwy::hwy)
if(NOT TARGET hwy::hwy)
  # Highway's own project has the name without a namespace.
  if(NOT TARGET hwy)
    find_package(hwy 1.2 QUIET CONFIG)
  endif()
  if(NOT TARGET hwy::hwy AND NOT TARGET hwy AND GLINT_FETCH_HIGHWAY)
    include(FetchContent)
    message(STATUS "Glint: no Highway >= 1.2 here: fetching release ${GLINT_HIGHWAY_VERSION}")
    set(HWY_ENABLE_TESTS OFF CACHE BOOL "" FORCE)
    set(HWY_ENABLE_EXAMPLES OFF CACHE BOOL "" FORCE)
    set(HWY_ENABLE_CONTRIB OFF CACHE BOOL "" FORCE)
    set(HWY_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
    set(HWY_FORCE_STATIC_LIBS ON CACHE BOOL "" FORCE)
    FetchContent_Declare(highway
      URL "https://github.com/google/highway/releases/download/${GLINT_HIGHWAY_VERSION}/highway-${GLINT_HIGHWAY_VERSION}.tar.gz"
      URL_HASH SHA256=${GLINT_HIGHWAY_SHA256})
    FetchContent_MakeAvailable(highway)
    set_target_properties(hwy PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  if(NOT TARGET hwy::hwy)
    set(glint_highway hwy)
  endif()
endif()
if(NOT TARGET ${glint_highway})
  message(FATAL_ERROR "Glint needs Highway >= 1.2 (Debian, Ubuntu: libhwy-dev). Install it, say where it is "
    "(-Dhwy_ROOT=PREFIX), add it to your project before Glint, or allow a download (-DGLINT_FETCH_HIGHWAY=ON).")
endif()
