# What find_package(pprof) gives:
#   pprof::pprof    libpprof.so; what most programs want
#   pprof::archive  libpprof.a, for programs that are linked to libc.so
#   pprof::static   libpprof-static.a, for fully static programs (-static, -static-pie)
get_filename_component(_pprof_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
find_path(PPROF_INCLUDE_DIR pprof.h
  HINTS "${_pprof_libdir}/../include" "${_pprof_libdir}/../../include" NO_DEFAULT_PATH)
mark_as_advanced(PPROF_INCLUDE_DIR)

function(_pprof_target name kind file)
  if(TARGET pprof::${name} OR NOT EXISTS "${_pprof_libdir}/${file}")
    return()
  endif()
  add_library(pprof::${name} ${kind} IMPORTED)
  set_target_properties(pprof::${name} PROPERTIES
    IMPORTED_LOCATION "${_pprof_libdir}/${file}"
    INTERFACE_INCLUDE_DIRECTORIES "${PPROF_INCLUDE_DIR}")
endfunction()

_pprof_target(pprof SHARED libpprof.so)
_pprof_target(archive STATIC libpprof.a)
_pprof_target(static STATIC libpprof-static.a)
if(TARGET pprof::archive)
  set_property(TARGET pprof::archive PROPERTY INTERFACE_LINK_LIBRARIES m pthread)
endif()
if(TARGET pprof::static)
  set_property(TARGET pprof::static PROPERTY INTERFACE_LINK_LIBRARIES m)
  set_property(TARGET pprof::static PROPERTY INTERFACE_LINK_OPTIONS "-Wl,@${_pprof_libdir}/libpprof-static.ld")
endif()
if(NOT TARGET pprof::pprof OR NOT PPROF_INCLUDE_DIR)
  set(pprof_FOUND FALSE)
  set(pprof_NOT_FOUND_MESSAGE "libpprof.so or pprof.h is not where pprofConfig.cmake was installed with them")
endif()
