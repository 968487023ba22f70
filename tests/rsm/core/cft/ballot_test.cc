#include "rsm/core/cft/ballot.h"

#include <gtest/gtest.h>

namespace mallard::rsm::cft {
namespace {

TEST(Ballot, KeepsTermAndLeader) {
  const Ballot ballot = make_ballot(77, memory::ProcessIndex(5));
  EXPECT_EQ(term_of(ballot), 77U);
  EXPECT_EQ(leader_of(ballot), memory::ProcessIndex(5));
}

TEST(Ballot, LaterTermsAreGreaterWhoeverLeads) {
  EXPECT_LT(make_ballot(1, memory::ProcessIndex(63)), make_ballot(2, memory::ProcessIndex(0)));
  EXPECT_LT(make_ballot(2, memory::ProcessIndex(0)), make_ballot(2, memory::ProcessIndex(1)));
  EXPECT_LT(Ballot(), make_ballot(1, memory::ProcessIndex(0)));
}

}  // namespace
}  // namespace mallard::rsm::cft
