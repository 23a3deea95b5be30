// Runs the command line in this process and keeps what it prints.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "cli/cli.h"

namespace peregrine {

struct Done {
  int code = -1;
  std::string out, err;
};

inline Done run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "peregrine");
  std::ostringstream out, err;
  Done done;
  done.code = run_cli(arguments, {out, err});
  done.out = out.str();
  done.err = err.str();
  return done;
}

// An environment variable while it lives.
class WithVariable {
 public:
  WithVariable(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
  ~WithVariable() { unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace peregrine
