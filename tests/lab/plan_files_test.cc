#include "lab/plan_files.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/temp_dir.h"

namespace peregrine {
namespace {

using nlohmann::json;
using testing::HasSubstr;

InternetPlan small_plan() {
  return {
      .seed = 3,
      .servers = {{.addresses = {*IpAddress::parse("198.18.0.1"), *IpAddress::parse("fd6c:6162::1")},
                   .conduct = {.delay = std::chrono::milliseconds(20), .loss = 0.25, .lies = true},
                   .zones = {0, 1}}},
      .zones = {{.apex = ".", .shape = "the root", .records = {"@ 3600 SOA a. b. 1 2 3 4 5"}, .servers = {0}},
                {.apex = "example.",
                 .shape = "one",
                 .resolves = false,
                 .records = {"www 300 A 192.0.2.1"},
                 .servers = {0}}}};
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PlanFilesTest, MasterFilesHaveTheRecordsBelowTheirOrigin) {
  EXPECT_EQ(master_file(small_plan().zones[1]), "; one\n$ORIGIN example.\nwww 300 A 192.0.2.1\n");
}

TEST(PlanFilesTest, TheRootHasAFileNameToo) {
  EXPECT_EQ(file_name(small_plan().zones[0]), "root.zone");
  EXPECT_EQ(file_name(small_plan().zones[1]), "example.zone");
}

TEST(PlanFilesTest, JsonSaysWhatIsOutOfTheOrdinary) {
  const json told = json::parse(plan_as_json(small_plan(), 5300));
  EXPECT_EQ(told["port"], 5300);
  EXPECT_EQ(told["roots"], json({"198.18.0.1", "fd6c:6162::1"}));
  EXPECT_EQ(told["servers"][0]["conduct"], json({{"delay_ms", 20}, {"loss", 0.25}, {"lies", true}}));
  EXPECT_EQ(told["zones"][1]["file"], "example.zone");
  EXPECT_EQ(told["zones"][1]["resolves"], false);
  EXPECT_EQ(told["zones"][1]["servers"], json::array({0}));
}

TEST(PlanFilesTest, EveryPartOfAConductHasAName) {
  for (const ConductRow& row : conduct_rows()) {
    InternetPlan plan = small_plan();
    plan.servers[0].conduct = {};
    plan.servers[0].conduct.*row.part = true;
    const json told = json::parse(plan_as_json(plan, 53));
    EXPECT_EQ(told["servers"][0]["conduct"], json({{std::string(row.name), true}}));
  }
}

TEST(PlanFilesTest, AllIsWrittenIntoAFolderThatIsMade) {
  const TempDir dir;
  write_plan(small_plan(), 53, dir / "made");
  EXPECT_THAT(text_of(dir / "made/example.zone"), HasSubstr("192.0.2.1"));
  EXPECT_THAT(text_of(dir / "made/root.hints"), HasSubstr("a.hints. 86400 A 198.18.0.1\n"));
  EXPECT_THAT(text_of(dir / "made/root.hints"), HasSubstr("b.hints. 86400 AAAA fd6c:6162::1\n"));
  EXPECT_FALSE(text_of(dir / "made/plan.json").empty());
}

TEST(PlanFilesTest, WhatCannotBeWrittenIsNamed) {
  const TempDir dir;
  std::ofstream(dir / "file") << "in the way";
  EXPECT_THROW(write_plan(small_plan(), 53, dir / "file"), std::runtime_error);
}

}  // namespace
}  // namespace peregrine
