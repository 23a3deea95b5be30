#include "load/queries.h"

#include <gtest/gtest.h>

#include <algorithm>
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
  const auto first = MessageView::parse(list->at(0).message).value();
  EXPECT_EQ(first.question().qname.to_string(), "www.example.com.");
  EXPECT_EQ(first.question().qtype, Type::aaaa);
  EXPECT_TRUE(first.header().rd());
  EXPECT_EQ(first.edns()->udp_size, 1232);
  EXPECT_FALSE(first.edns()->dnssec_ok);
  EXPECT_EQ(list->at(0).question_end, first.question_end());
  EXPECT_EQ(list->at(0).qname().to_string(), "www.example.com.");
  EXPECT_EQ(MessageView::parse(list->at(1).message)->question().qtype, Type::a);
}

TEST(QueryList, TheFormDecidesAboutEdns) {
  const auto plain = read("example.com", {.edns_size = 0});
  EXPECT_FALSE(MessageView::parse(plain->at(0).message)->edns());
  EXPECT_EQ(plain->at(0).question_end, plain->at(0).message.size());
  const auto secure = read("example.com", {.edns_size = 4096, .dnssec_ok = true});
  const auto edns = MessageView::parse(secure->at(0).message)->edns();
  EXPECT_EQ(edns->udp_size, 4096);
  EXPECT_TRUE(edns->dnssec_ok);
}

TEST(QueryList, HasRoomForTheLongestName) {
  std::string label(63, 'a');
  const auto list = read(label + "." + label + "." + label + "." + label.substr(2) + "\n");
  ASSERT_TRUE(list) << list.error();
  EXPECT_EQ(list->at(0).qname().size(), 255u);
}

TEST(QueryList, NamesTheLineThatIsWrong) {
  EXPECT_EQ(read("a.example\nb..example\n").error(), "line 2: 'b..example' is not a domain name");
  EXPECT_EQ(read("a.example NOTYPE\n").error(), "line 1: 'NOTYPE' is not a type");
  EXPECT_EQ(read("a.example A IN\n").error(), "line 1: more than a name and a type");
  EXPECT_EQ(read("# a.example\n").error(), "no names");
}

// A query of the same name and form, as MessageWriter alone makes it.
std::vector<uint8_t> written(Dname qname, const QueryForm& form) {
  QueryList list(form);
  list.add(qname, Type::a);
  const Bytes message = list.at(0).message;
  return {message.begin(), message.end()};
}

TEST(MadeUpQueries, AreThoseThatAListOfTheNamesHas) {
  Queries::Buffer buffer;
  for (const QueryForm& form : {QueryForm{}, QueryForm{.edns_size = 0}, QueryForm{.dnssec_ok = true}}) {
    const MadeUpQueries queries({.first = 5, .count = 10, .once_first = 1000}, form);
    EXPECT_EQ(queries.size(), 10u);
    for (const auto& [drawn, name] :
         {std::pair(Drawn{.index = 0}, made_up_name(5)),
          std::pair(Drawn{.index = 9, .denied = true}, made_up_name(14, true)),
          std::pair(Drawn{.index = 10}, made_up_name(1000)),
          std::pair(Drawn{.index = 12, .denied = true}, made_up_name(1002, true))}) {
      const EncodedQuery query = queries.encode(drawn, buffer);
      EXPECT_TRUE(std::ranges::equal(query.message, written(name, form)));
      EXPECT_EQ(query.qname(), name.view());
      EXPECT_EQ(MessageView::parse(query.message)->question_end(), query.question_end);
    }
  }
}

TEST(MadeUpQueries, TheLongestFitsIntoABuffer) {
  const MadeUpQueries queries({.first = 4'294'967'295, .count = 1, .once_first = 0}, {.dnssec_ok = true});
  Queries::Buffer buffer;
  EXPECT_TRUE(MessageView::parse(queries.encode({.denied = true}, buffer).message));
}

}  // namespace
}  // namespace peregrine
