# peregrine_room(NAME SOURCES... [USES rooms...] [LIBRARIES libs...])
# One folder of src/ is one room and one static library; USES are the arrows of the design.
function(peregrine_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC ${ARG_USES} ${ARG_LIBRARIES})
endfunction()

# peregrine_test(ROOM SOURCES... [USES rooms...]): one GoogleTest binary a room, `test_ROOM`.
function(peregrine_test room)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(test_${room} ${ARG_SOURCES})
  target_include_directories(test_${room} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${room} PRIVATE ${ARG_USES} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(test_${room} TEST_PREFIX ${room}. DISCOVERY_TIMEOUT 60)
endfunction()

# peregrine_fuzz(NAME SOURCES... [USES rooms...]): one libFuzzer program, `fuzz_NAME`; its seeds are in fuzz/corpus/NAME.
# The target `fuzz_targets` builds all of them.
function(peregrine_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_USES})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzz_targets)
    add_custom_target(fuzz_targets)
  endif()
  add_dependencies(fuzz_targets fuzz_${name})
endfunction()
