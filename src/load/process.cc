#include "load/process.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace peregrine {
namespace {

uint64_t resident_octets(const std::string& folder) {
  std::ifstream status(folder + "/status");
  std::string word;
  uint64_t kib = 0;
  while (status >> word) {
    if (word == "VmRSS:" && status >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace

std::optional<ProcessUse> process_use(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::error_code error;
  std::filesystem::directory_iterator tasks(folder + "/task", error);
  if (error) return std::nullopt;
  ProcessUse use;
  for (; tasks != std::filesystem::directory_iterator(); tasks.increment(error)) {
    uint64_t nanos = 0;
    std::ifstream(tasks->path() / "schedstat") >> nanos;  // a thread that has just ended counts for nothing
    use.cpu += Duration{nanos};
    if (error) break;
  }
  use.rss_octets = resident_octets(folder);
  return use;
}

}  // namespace peregrine
