// Files as a whole: configuration and the like. May wait for the disk.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace peregrine {

// The first `most` octets of a file, or all if it has no more. errno, EISDIR of a directory say
std::expected<std::string, int> read_file(const std::string& path, size_t most);

}  // namespace peregrine
