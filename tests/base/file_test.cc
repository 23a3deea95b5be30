#include "base/file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>

#include "support/temp_dir.h"

namespace peregrine {
namespace {

class ReadFile : public testing::Test {
 protected:
  std::string write(const std::string& text) const {
    std::ofstream(directory_ / "file", std::ios::binary) << text;
    return directory_ / "file";
  }
  const TempDir directory_;
};

TEST_F(ReadFile, GivesAllOfIt) {
  EXPECT_EQ(read_file(write(""), 10), "");
  const std::string octets("a\0\xff\n", 4);
  EXPECT_EQ(read_file(write(octets), 10), octets);
}

TEST_F(ReadFile, GivesNoMoreThanWanted) {
  const std::string file = write("0123456789");
  EXPECT_EQ(read_file(file, 10), "0123456789");
  EXPECT_EQ(read_file(file, 9), "012345678");
  EXPECT_EQ(read_file(file, 0), "");
}

TEST_F(ReadFile, SaysWhyItCannot) {
  EXPECT_EQ(read_file(directory_.path(), 10), std::unexpected(EISDIR));
  EXPECT_EQ(read_file(directory_ / "none", 10), std::unexpected(ENOENT));
}

}  // namespace
}  // namespace peregrine
