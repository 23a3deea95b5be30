#include "base/file.h"

#include <cerrno>
#include <cstdio>
#include <memory>

namespace peregrine {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::expected<std::string, int> read_file(const std::string& path, size_t most) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
  if (!file) return std::unexpected(errno);
  std::string text(most, '\0');
  const size_t size = std::fread(text.data(), 1, text.size(), file.get());
  if (std::ferror(file.get()) != 0) return std::unexpected(errno);
  text.resize(size);
  return text;
}

}  // namespace peregrine
