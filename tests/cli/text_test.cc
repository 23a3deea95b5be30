#include "cli/text.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

TEST(SafeForTerminal, KeepsTextAndUtf8) {
  EXPECT_EQ(safe_for_terminal(""), "");
  EXPECT_EQ(safe_for_terminal("a b\\~"), "a b\\~");
  EXPECT_EQ(safe_for_terminal("J\xc3\xbcrgen \xe2\x82\xac"), "J\xc3\xbcrgen \xe2\x82\xac");
  EXPECT_EQ(safe_for_terminal("\xc2\xa0"), "\xc2\xa0");
}

TEST(SafeForTerminal, EscapesControls) {
  EXPECT_EQ(safe_for_terminal("a\nb\r\t"), "a\\x0ab\\x0d\\x09");
  EXPECT_EQ(safe_for_terminal("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
  EXPECT_EQ(safe_for_terminal(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(safe_for_terminal("\xc2\x9b"
                              "2J\xc2\x80"),
            "\\xc2\\x9b2J\\xc2\\x80");
  EXPECT_EQ(safe_for_terminal("\xc2"), "\xc2");
}

TEST(OctetsText, HasAUnitThatFits) {
  EXPECT_EQ(octets_text(0), "0 octets");
  EXPECT_EQ(octets_text(1023), "1023 octets");
  EXPECT_EQ(octets_text(1024), "1 KiB");
  EXPECT_EQ(octets_text(1536), "1.5 KiB");
  EXPECT_EQ(octets_text((1ull << 20) - 1), "1 MiB");
  EXPECT_EQ(octets_text(256ull << 20), "256 MiB");
  EXPECT_EQ(octets_text(1ull << 40), "1 TiB");
  EXPECT_EQ(octets_text(~0ull), "16777216 TiB");
}

TEST(MillisecondsText, HasAUnitThatFits) {
  EXPECT_EQ(milliseconds_text(0), "0 ms");
  EXPECT_EQ(milliseconds_text(0.214), "0.21 ms");
  EXPECT_EQ(milliseconds_text(12.34), "12.3 ms");
  EXPECT_EQ(milliseconds_text(345.6), "346 ms");
  EXPECT_EQ(milliseconds_text(100), "100 ms");
  EXPECT_EQ(milliseconds_text(1250), "1.25 s");
}

TEST(UptimeText, HasTwoUnitsAtMost) {
  EXPECT_EQ(uptime_text(-1), "0 s");
  EXPECT_EQ(uptime_text(59.9), "59 s");
  EXPECT_EQ(uptime_text(60), "1 min 0 s");
  EXPECT_EQ(uptime_text(3661), "1 h 1 min");
  EXPECT_EQ(uptime_text(90'000), "1 d 1 h");
}

TEST(CountText, KnowsThePlural) {
  EXPECT_EQ(count_text(0, "worker"), "0 workers");
  EXPECT_EQ(count_text(1, "worker"), "1 worker");
  EXPECT_EQ(count_text(2, "worker"), "2 workers");
}

TEST(TableText, AlignsColumns) {
  EXPECT_EQ(table_text({{"A", "BB"}, {"aaa", "b"}, {"", "x"}, {"y"}}), "A    BB\naaa  b\n     x\ny\n");
  EXPECT_EQ(table_text({}), "");
}

}  // namespace
}  // namespace peregrine
