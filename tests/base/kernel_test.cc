#include "base/kernel.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "base/flags.h"

namespace peregrine {
namespace {

// A filter that makes io_uring_setup fail with `error`, as containers have it. False where there are no
// filters.
bool forbid_io_uring(unsigned error) {
  std::array<sock_filter, 4> code{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{.len = code.size(), .filter = code.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// In a child, since a filter cannot be taken off again. 0: refused, and the flag is off; 2: no filters here.
int child_result(unsigned error) {
  const pid_t child = fork();
  if (child == 0) {
    if (!forbid_io_uring(error)) _exit(2);
    FlagSet flags(Profile::dev);
    const bool refused = !io_uring_refused().empty() && !unavailable(Flag::io_uring).empty();
    _exit(refused && flags.wanted(Flag::io_uring) && !flags.on(Flag::io_uring) ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST(IoUringRefused, WhereAFilterForbidsIt) {
  for (const unsigned error : {EPERM, EACCES, ENOSYS}) {
    const int result = child_result(error);
    if (result == 2) GTEST_SKIP() << "this kernel takes no seccomp filter";
    EXPECT_EQ(result, 0) << error;
  }
}

TEST(IoUringRefused, FollowsTheFlagsAvailability) {
  EXPECT_EQ(io_uring_refused(), unavailable(Flag::io_uring));
}

}  // namespace
}  // namespace peregrine
