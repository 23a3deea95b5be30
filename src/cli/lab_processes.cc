#include "cli/lab_processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>
#include <utility>

namespace peregrine {
namespace {

constexpr int cannot_start = 127;  // as shells have it

sigset_t held_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

// In the child 0.
pid_t fork_with(int signal_at_parents_end) {
  std::cout.flush();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot start a process");
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, signal_at_parents_end);
  if (getppid() != parent) _exit(cannot_start);
  const sigset_t held = held_signals();
  sigprocmask(SIG_UNBLOCK, &held, nullptr);
  return 0;
}

[[noreturn]] void become(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  const int error = errno;
  std::cerr << "peregrine: cannot run " << words[0] << ": " << std::generic_category().message(error) << '\n';
  _exit(cannot_start);
}

// Those of this process; none where the system does not tell (proc_pid_task_children(5)).
std::vector<pid_t> children() {
  std::vector<pid_t> all;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream file(task.path() / "children");
    for (pid_t child = 0; file >> child;) all.push_back(child);
  }
  return all;
}

// What a command leaves behind: processes that became children of this one after `before` was written down.
class Orphans {
 public:
  explicit Orphans(std::vector<pid_t> before) : before_(std::move(before)) {}

  void reap() const {
    for (const pid_t orphan : found()) waitpid(orphan, nullptr, WNOHANG);
  }

  // The children of those that end come to this process in their turn.
  void end() const {
    for (bool more = true; std::exchange(more, false);) {
      for (const pid_t orphan : found()) {
        if (kill(orphan, SIGKILL) != 0) continue;
        more = true;
        while (waitpid(orphan, nullptr, 0) < 0 && errno == EINTR) continue;
      }
    }
  }

 private:
  std::vector<pid_t> found() const {
    std::vector<pid_t> all = children();
    std::erase_if(all, [&](pid_t child) { return std::ranges::find(before_, child) != before_.end(); });
    return all;
  }

  std::vector<pid_t> before_;
};

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Child Child::running(const std::function<int()>& work) {
  const pid_t child = fork_with(SIGKILL);
  if (child != 0) return Child(child);
  setpgid(0, 0);
  try {
    _exit(work());
  } catch (const std::exception& error) {
    std::cerr << "peregrine: " << error.what() << '\n';
    _exit(cannot_start);
  }
}

Child Child::running(const std::vector<std::string>& words, const std::string& log) {
  const pid_t child = fork_with(SIGKILL);
  if (child != 0) return Child(child);
  setpgid(0, 0);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = open("/dev/null", O_RDONLY);
  if (file < 0 || nothing < 0) _exit(cannot_start);
  dup2(nothing, STDIN_FILENO);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  become(words);
}

Child::~Child() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

bool Child::ended() {
  if (pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ == 0;
}

void become_parent() {
  signal(SIGCHLD, SIG_DFL);  // where it is ignored, waitpid() has nothing to tell
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void hold_signals() {
  const sigset_t held = held_signals();
  sigprocmask(SIG_BLOCK, &held, nullptr);
}

int run_command(const std::vector<std::string>& words) {
  std::vector<pid_t> mine = children();
  const pid_t command = fork_with(SIGHUP);
  if (command == 0) become(words);
  mine.push_back(command);
  const Orphans orphans(std::move(mine));
  const sigset_t held = held_signals();
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(command, &status, WNOHANG);
    if (ended < 0) throw std::system_error(errno, std::generic_category(), "no word of the command");
    if (ended == command) {
      orphans.end();
      return exit_code_of(status);
    }
    orphans.reap();
    int signal = 0;
    if (sigwait(&held, &signal) != 0) continue;
    if (signal == SIGTERM || signal == SIGHUP) kill(command, signal);
  }
}

}  // namespace peregrine
