#include "cli/lab_processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <system_error>

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

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Child Child::running(const std::function<int()>& work) {
  const pid_t child = fork_with(SIGKILL);
  if (child != 0) return Child(child);
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

void hold_signals() {
  const sigset_t held = held_signals();
  sigprocmask(SIG_BLOCK, &held, nullptr);
}

int run_command(const std::vector<std::string>& words) {
  const pid_t command = fork_with(SIGHUP);
  if (command == 0) become(words);
  const sigset_t held = held_signals();
  for (;;) {
    int status = 0;
    if (waitpid(command, &status, WNOHANG) == command) return exit_code_of(status);
    int signal = 0;
    if (sigwait(&held, &signal) != 0) continue;
    if (signal == SIGTERM || signal == SIGHUP) kill(command, signal);
  }
}

}  // namespace peregrine
