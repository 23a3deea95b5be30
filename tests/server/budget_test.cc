#include "server/budget.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

// What the defaults want with two workers: 128 + 2 * (160 + 4) + 2 * (1024 + 65) + 4 * 1024.
constexpr size_t all = 6730;

DescriptorDemand with_limit(size_t limit) { return {.limit = limit, .workers = 2}; }

TEST(Budget, GivesWhatIsWantedWhereThereIsEnough) {
  for (size_t limit : {all, size_t{1} << 20, SIZE_MAX}) {
    const DescriptorBudget budget = share_out(with_limit(limit));
    EXPECT_EQ(budget.source_ports, 1024u) << limit;
    EXPECT_TRUE(budget.enough) << limit;
  }
}

TEST(Budget, AnUnknownLimitLimitsNothing) {
  EXPECT_EQ(share_out(with_limit(0)).source_ports, 1024u);
  EXPECT_TRUE(share_out(with_limit(0)).enough);
}

TEST(Budget, SourcePortsGiveWayToSessions) {
  EXPECT_EQ(share_out(with_limit(all - 1)).source_ports, 1023u);
  EXPECT_FALSE(share_out(with_limit(all - 1)).enough);
  EXPECT_EQ(share_out(with_limit(456 + 2 * 2178)).source_ports, 2178u / 4);
}

TEST(Budget, SessionsHaveNoMoreThanHalfOfWhatIsLeft) {
  EXPECT_EQ(share_out(with_limit(456 + 2000)).source_ports, 1000u / 4);
  DescriptorDemand demand = with_limit(4096);
  demand.tcp_sessions = 1'000'000;
  EXPECT_EQ(share_out(demand).source_ports, (4096u - 456) / 2 / 4);
}

TEST(Budget, LeavesSixteenPortsButNoMoreThanWanted) {
  for (size_t limit : {1u, 20u, 456u, 500u}) {
    DescriptorDemand demand = with_limit(limit);
    EXPECT_EQ(share_out(demand).source_ports, 16u) << limit;
    demand.source_ports = 3;
    EXPECT_EQ(share_out(demand).source_ports, 3u) << limit;
    EXPECT_FALSE(share_out(demand).enough) << limit;
  }
}

TEST(Budget, AShortageNamesTheLimitAndTheRemedy) {
  const DescriptorDemand demand = with_limit(4096);
  const std::string text = shortage(demand, share_out(demand));
  for (const char* part : {"4096", "2 workers", "using 455 ports", "LimitNOFILE", "ulimit -n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
  }
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace peregrine
