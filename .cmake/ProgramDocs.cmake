# Manual pages and completion for bash, zsh and fish. Each program writes its own, from the same
# definition of its flags that it parses them by.
set(glint_docs_dir "${PROJECT_BINARY_DIR}/program_docs")
set(glint_docs)

# Makes FILE of the program TARGET and has it installed.
function(glint_generate target kind file folder)
  set(path "${glint_docs_dir}/${file}")
  get_filename_component(directory "${path}" DIRECTORY)
  file(MAKE_DIRECTORY "${directory}")
  add_custom_command(OUTPUT "${path}" COMMAND ${target} --generate ${kind} > "${path}"
                     DEPENDS ${target} VERBATIM)
  set(glint_docs ${glint_docs} "${path}" PARENT_SCOPE)
  if(GLINT_INSTALL)
    install(FILES "${path}" DESTINATION "${folder}" COMPONENT glint_tools)
  endif()
endfunction()

if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(STATUS "Glint: no manual pages and completion: its programs do not run on this machine")
else()
  foreach(target IN LISTS installed_programs)
    get_target_property(program ${target} OUTPUT_NAME)
    glint_generate(${target} man "man/${program}.1" "${CMAKE_INSTALL_MANDIR}/man1")
    glint_generate(${target} bash "bash/${program}"
                   "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
    glint_generate(${target} zsh "zsh/_${program}" "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
    glint_generate(${target} fish "fish/${program}.fish"
                   "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
  endforeach()
  add_custom_target(glint_program_docs ALL DEPENDS ${glint_docs})
  add_dependencies(glint_programs glint_program_docs)
endif()
