#include "load/query_list.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "wire/message_view.h"

namespace peregrine {
namespace {

std::expected<QueryList, std::string> read(const std::string& text, const QueryForm& form = {}) {
  std::istringstream in(text);
  return read_queries(in, form);
}

TEST(QueryList, ReadsNamesAndTypes) {
  const auto list = read("www.example.com AAAA\n\n# nothing\nexample.net.  # A\n");
  ASSERT_TRUE(list) << list.error();
  ASSERT_EQ(list->size(), 2u);
  const auto first = MessageView::parse(list->message(0)).value();
  EXPECT_EQ(first.question().qname.to_string(), "www.example.com.");
  EXPECT_EQ(first.question().qtype, Type::aaaa);
  EXPECT_TRUE(first.header().rd());
  EXPECT_EQ(first.edns()->udp_size, 1232);
  EXPECT_FALSE(first.edns()->dnssec_ok);
  EXPECT_EQ(list->question_end(0), first.question_end());
  EXPECT_EQ(list->qname(0).to_string(), "www.example.com.");
  EXPECT_EQ(MessageView::parse(list->message(1))->question().qtype, Type::a);
}

TEST(QueryList, TheFormDecidesAboutEdns) {
  const auto plain = read("example.com", {.edns_size = 0});
  EXPECT_FALSE(MessageView::parse(plain->message(0))->edns());
  EXPECT_EQ(plain->question_end(0), plain->message(0).size());
  const auto secure = read("example.com", {.edns_size = 4096, .dnssec_ok = true});
  const auto edns = MessageView::parse(secure->message(0))->edns();
  EXPECT_EQ(edns->udp_size, 4096);
  EXPECT_TRUE(edns->dnssec_ok);
}

TEST(QueryList, HasRoomForTheLongestName) {
  std::string label(63, 'a');
  const auto list = read(label + "." + label + "." + label + "." + label.substr(2) + "\n");
  ASSERT_TRUE(list) << list.error();
  EXPECT_EQ(list->qname(0).size(), 255u);
}

TEST(QueryList, NamesTheLineThatIsWrong) {
  EXPECT_EQ(read("a.example\nb..example\n").error(), "line 2: 'b..example' is not a domain name");
  EXPECT_EQ(read("a.example NOTYPE\n").error(), "line 1: 'NOTYPE' is not a type");
  EXPECT_EQ(read("a.example A IN\n").error(), "line 1: more than a name and a type");
  EXPECT_EQ(read("# a.example\n").error(), "no names");
}

TEST(QueryList, GeneratedNamesDiffer) {
  const QueryList list = generate_queries(5, 2000, {});
  ASSERT_EQ(list.size(), 2000u);
  std::set<std::string> names;
  for (size_t i = 0; i < list.size(); ++i) names.insert(list.qname(i).to_string());
  EXPECT_EQ(names.size(), 2000u);
  EXPECT_EQ(list.qname(0).to_string(), generated_name(5).to_string());
  EXPECT_EQ(generated_name(5).to_string(), "static5.shop5.bench.example.");
}

TEST(QueryList, TheAddressOfANameIsThatOfAllItsSpellings) {
  const uint32_t address = address_of_name(DnameBuf::from_text("www.example.com").value());
  EXPECT_EQ(address >> 24, 10u);
  EXPECT_EQ(address_of_name(DnameBuf::from_text("WWW.Example.com").value()), address);
  EXPECT_NE(address_of_name(DnameBuf::from_text("www.example.net").value()), address);
}

}  // namespace
}  // namespace peregrine
