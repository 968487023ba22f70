// Two clusters at two sites, all gateways real processes, over lines as bad as lines get: what west's
// replicas were delivered must be what east committed, each message once and in order.
#include <gtest/gtest.h>

#include <cstdio>
#include <list>
#include <string>
#include <vector>

#include "tests/integration/deployment/network_namespace.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/integration/network/two_sites.h"

namespace mallard::integration {
namespace {

constexpr Duration start_limit = Duration::seconds(20);
constexpr std::uint64_t seed = 20261121;

Impairment ten_milliseconds_each_way() { return {.delay = Duration::milliseconds(10)}; }

void deliver_all(const std::string& title, const Impairment& impairment, std::uint64_t messages,
                 Duration limit) {
  TwoSites sites(impairment, seed);
  ASSERT_TRUE(sites.deployment().ready(start_limit));
  sites.commit(messages);
  EXPECT_EQ(sites.finish(limit), "");
  sites.print_counters(title);
  EXPECT_GE(sites.copies_per_message(), 1.0) << "who counts no copies counts no resends";
}

TEST(TwoSites, DeliverOverACleanLine) {
  TwoSites sites(ten_milliseconds_each_way(), seed);
  ASSERT_TRUE(sites.deployment().ready(start_limit));
  sites.commit(100'000);
  EXPECT_EQ(sites.finish(Duration::seconds(60)), "");
  sites.print_counters("clean, 20 ms");
  EXPECT_EQ(sites.resends_per_message(), 0.0);
  EXPECT_EQ(sites.copies_per_message(), 1.0);
}

TEST(TwoSites, DeliverOverALineThatLosesOneInAHundred) {
  Impairment impairment = ten_milliseconds_each_way();
  impairment.loss_ppm = 10'000;
  deliver_all("loss 1 %", impairment, 100'000, Duration::seconds(90));
}

TEST(TwoSites, DeliverOverALineThatLosesDuplicatesAndReorders) {
  Impairment impairment = ten_milliseconds_each_way();
  impairment.jitter = Duration::milliseconds(2);
  impairment.loss_ppm = 50'000;
  impairment.duplicate_ppm = 10'000;
  impairment.reorder_ppm = 50'000;
  deliver_all("loss 5 %, duplicates 1 %, reordered 5 %", impairment, 60'000, Duration::seconds(120));
}

// Commits before, during and after the faults, which come together and last for `span`.
// `cut`: no packet of east's arrives meanwhile, so that nothing committed during the fault may be delivered
// before its end; else it was no fault.
void deliver_through(const std::string& title, const std::vector<std::vector<std::string>>& rules,
                     Duration span, bool cut) {
  constexpr std::uint64_t part = 10'000;
  TwoSites sites(ten_milliseconds_each_way(), seed);
  ASSERT_TRUE(sites.deployment().ready(start_limit));
  sites.commit(part);
  ASSERT_TRUE(wait_until(start_limit, [&] { return sites.delivered_everywhere() == part; }));
  {
    std::list<TwoSites::Fault> faults;
    for (const auto& rule : rules) faults.emplace_back(sites.west(), rule);
    sites.commit(part);
    let_pass(span);
    if (cut) {
      EXPECT_EQ(sites.delivered_everywhere(), part) << "nobody noticed the fault";
    }
  }
  sites.commit(part);
  EXPECT_EQ(sites.finish(Duration::seconds(60)), "");
  sites.print_counters(title);
}

const std::vector<std::string> drop_what_comes{"INPUT", "-i", TunLink::device, "-j", "DROP"};
const std::vector<std::string> drop_what_goes{"OUTPUT", "-o", TunLink::device, "-j", "DROP"};
const std::vector<std::string> reset_what_comes{"INPUT", "-i",     TunLink::device, "-p",       "tcp",
                                                "-j",    "REJECT", "--reject-with", "tcp-reset"};
const std::vector<std::string> reset_what_goes{"OUTPUT", "-o",     TunLink::device, "-p",       "tcp",
                                               "-j",     "REJECT", "--reject-with", "tcp-reset"};

TEST(TwoSites, DeliverThroughAPartition) {
  deliver_through("partition of 3 s", {drop_what_comes, drop_what_goes}, Duration::seconds(3), true);
}

TEST(TwoSites, DeliverThroughAPartitionOfOneWay) {
  deliver_through("nothing reaches west for 3 s", {drop_what_comes}, Duration::seconds(3), true);
}

TEST(TwoSites, DeliverThroughAPartitionOfTheOtherWay) {
  deliver_through("nothing leaves west for 3 s", {drop_what_goes}, Duration::seconds(3), false);
}

TEST(TwoSites, DeliverThroughResetsOfAllConnections) {
  deliver_through("connections reset for 1 s", {reset_what_comes, reset_what_goes}, Duration::seconds(1),
                  true);
}

}  // namespace
}  // namespace mallard::integration
