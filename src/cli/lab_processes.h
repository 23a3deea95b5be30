// The processes of `peregrine lab`: what serves, what resolves, and the command that is run beside them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace peregrine {

// A child of this process that ends with it (PR_SET_PDEATHSIG), and with its Child.
class Child {
 public:
  // Runs `work` in a copy of this process; what it returns is the exit code. Throws std::system_error.
  // Either is in a process group of its own: what the terminal's keys send is for the command.
  static Child running(const std::function<int()>& work);
  // Runs a program; standard output and error go to the end of `log`. A program that cannot be started has
  // exit code 127.
  static Child running(const std::vector<std::string>& words, const std::string& log);
  Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  Child& operator=(Child&&) = delete;
  ~Child();  // ends it and waits

  bool ended();  // by itself

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

// To be called before anything is started: this process learns how its children end, whatever it inherited,
// and has for children those that the command leaves behind (PR_SET_CHILD_SUBREAPER).
void become_parent();
// SIGINT, SIGTERM, SIGHUP and SIGCHLD wait from now on, until run_command() or the end; children have them as
// usual.
void hold_signals();
// Runs a command on this process's terminal until it ends: its exit code, or 128 and the signal that ended
// it. Needs hold_signals(): SIGTERM and SIGHUP are passed on; SIGINT is not, for the terminal sends it to
// both. What the command has left behind is ended then, but for processes of other users. Throws
// std::system_error.
int run_command(const std::vector<std::string>& words);

}  // namespace peregrine
