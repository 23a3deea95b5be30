#include <iostream>
#include <span>

#include "cli/cli.h"

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<size_t>(argc));
  return peregrine::run_cli({arguments.begin(), arguments.end()}, {std::cout, std::cerr});
}
