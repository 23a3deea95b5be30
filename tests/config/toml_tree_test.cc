#include "config/toml_tree.h"

#include <gmock/gmock.h>

namespace peregrine {
namespace {

std::string repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(TomlTree, KeepsValuesAndPlaces) {
  const auto table = parse_toml("[server]\nworkers = 2\ncpus = [0,\n  1]\n");
  ASSERT_TRUE(table.has_value());
  ASSERT_EQ(table->size(), 1u);
  EXPECT_EQ(table->front().key, "server");
  const auto& members = *table->front().value.get<TomlTable>();
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].key, "cpus");
  EXPECT_EQ(members[0].place, (Place{3, 1}));
  EXPECT_EQ(members[0].value.get<TomlList>()->at(1).place, (Place{4, 3}));
  EXPECT_EQ(members[1].place, (Place{2, 1}));
  EXPECT_EQ(members[1].value.place, (Place{2, 11}));
  EXPECT_EQ(*members[1].value.get<int64_t>(), 2);
}

TEST(TomlTree, GivesThePlaceOfASyntaxError) {
  const auto table = parse_toml("a = 1\nb = = 2\n");
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().place, (Place{2, 5}));
  EXPECT_NE(table.error().message, "");
}

TEST(TomlTree, RefusesKeysThatWouldNestTooDeep) {
  EXPECT_TRUE(parse_toml("a" + repeated(".a", 1000) + " = 1").has_value());
  const auto table = parse_toml("x = 1\na" + repeated(".a", 1001) + " = 1");
  ASSERT_FALSE(table.has_value());
  EXPECT_EQ(table.error().message, "over 1000 dots in keys and numbers");
  EXPECT_EQ(table.error().place, (Place{2, 2002}));
}

TEST(TomlTree, CountsTheDotsOfAllKeysTogether) {
  const std::string key = "\"=\"" + repeated(".a", 150);
  EXPECT_FALSE(parse_toml(repeated(key + " = [{", 8) + "x = 1" + repeated("}]", 8)).has_value());
  EXPECT_FALSE(parse_toml("[a" + repeated(".a", 600) + "]\nb" + repeated(".b", 600) + " = 1").has_value());
}

TEST(TomlTree, DotsInStringsAndCommentsAreFree) {
  const std::string dots(2000, '.');
  for (const std::string& text :
       {"# " + dots, "a = \"" + dots + "\"", "a = '" + dots + "'", "a = \"\\\"" + dots + "\"",
        "a = '\\' # " + dots, "a = \"\"\"\n\"" + dots + "\n\"\"\"\"\" # " + dots,
        "a = '''\n'" + dots + "''''' # " + dots, "a = \"\" # " + dots}) {
    EXPECT_TRUE(parse_toml(text).has_value()) << text.substr(0, 20);
  }
}

TEST(TomlTree, DotsAfterAStringAreCounted) {
  const std::string dotted = "a" + repeated(".a", 1001) + " = 1";
  for (const std::string& before : {"a = \"\\\\\"\n", "a = '\\'\n", "a = \"\"\"x\"\"\"\"\"\n",
                                    "a = '''x'''''\n", "a = \"\"\n", "# \"\n", "a = \"\"\"\\\"\"\"\"\n"}) {
    EXPECT_TRUE(parse_toml(before).has_value()) << before;
    EXPECT_FALSE(parse_toml(before + "b." + dotted).has_value()) << before;
  }
}

TEST(TomlTree, RefusesValuesThatNestTooDeep) {
  EXPECT_FALSE(parse_toml("a = " + std::string(100'000, '[')).has_value());
  EXPECT_FALSE(parse_toml("a = " + repeated("{a = ", 100'000)).has_value());
}

TEST(TomlTree, RefusesMoreThanAMebibyte) {
  EXPECT_TRUE(parse_toml(std::string(max_toml_size, '\n')).has_value());
  EXPECT_FALSE(parse_toml(std::string(max_toml_size + 1, '\n')).has_value());
}

TEST(TomlTree, ReadsAnOverrideAsTomlOrAsItStands) {
  EXPECT_EQ(*parse_toml_value(" 2 ").get<int64_t>(), 2);
  EXPECT_EQ(*parse_toml_value("\"2\"").get<std::string>(), "2");
  EXPECT_EQ(*parse_toml_value("64MiB").get<std::string>(), "64MiB");
  EXPECT_EQ(*parse_toml_value("true").get<bool>(), true);
  EXPECT_EQ(parse_toml_value("[1, 2]").get<TomlList>()->size(), 2u);
  EXPECT_EQ(parse_toml_value("{a = 1}").get<TomlTable>()->size(), 1u);
  EXPECT_EQ(*parse_toml_value("").get<std::string>(), "");
}

TEST(TomlTree, AnOverrideCannotAddASecondKey) {
  EXPECT_EQ(*parse_toml_value("1\nother = 2").get<std::string>(), "1\nother = 2");
}

TEST(TomlTree, ShowsValuesShortAndPrintable) {
  EXPECT_EQ(shown(parse_toml_value("\"a\\u001bb\"")), "\"a\\x1bb\"");
  EXPECT_EQ(shown(parse_toml_value("\xff")), "\"\\xff\"");
  EXPECT_EQ(shown(parse_toml_value("-7")), "-7");
  EXPECT_EQ(shown(parse_toml_value("false")), "false");
  EXPECT_EQ(shown(parse_toml_value("1.5")), "a float");
  EXPECT_EQ(shown(parse_toml_value("2024-01-01")), "a date or time");
  EXPECT_EQ(shown(parse_toml_value("[]")), "a list");
  EXPECT_EQ(shown(parse_toml_value("{}")), "a table");
  EXPECT_EQ(shown(parse_toml_value(std::string(100, 'x'))), "\"" + std::string(64, 'x') + "...\"");
}

}  // namespace
}  // namespace peregrine
