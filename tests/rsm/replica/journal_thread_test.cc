#include "rsm/replica/journal_thread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "crypto/sodium.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {
namespace {

using journal::EntryIndex;

class JournalThreadTest : public testing::Test {
 protected:
  JournalThreadTest() {
    crypto::start_sodium();
    const journal::FreshIdentity fresh{.incarnation = Incarnation(5)};
    auto opened = journal::Journal::open(disk,
                                         {.segment_bytes = 1U << 20,
                                          .entries_max = 8192,
                                          .group_bytes_max = 64U << 10,
                                          .body_bytes_max = 16U << 10},
                                         fresh);
    EXPECT_TRUE(opened);
    store = std::move(*opened);
  }
  template <class Condition>
  static bool wait_for(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }
  static journal::Entry entry(std::uint64_t index, const std::string& body) {
    return {EntryIndex(index), journal::Term(1), Epoch(1), text_bytes(body)};
  }

  journal::SimDisk disk{1};
  std::unique_ptr<journal::Journal> store;
};

TEST_F(JournalThreadTest, ReportsTicketsAndTellsThatItDid) {
  std::atomic<int> told = 0;
  {
    JournalThread thread(*store, {}, [&] { ++told; });
    thread.append(entry(1, "one"));
    thread.seal(1);
    ASSERT_TRUE(wait_for([&] { return thread.persisted() == 1; }));
    thread.append(entry(2, "two"));
    thread.promise(2, {.term = journal::Term(4), .may_vote = true});
    ASSERT_TRUE(wait_for([&] { return thread.persisted() == 2 && told.load() >= 2; }));
    EXPECT_FALSE(thread.failed());
  }
  EXPECT_EQ(store->durable(), EntryIndex(2));
  EXPECT_EQ(store->promises().term, journal::Term(4));
}

// The queue is far smaller than what goes through it: the one who orders waits, and nothing is lost.
TEST_F(JournalThreadTest, AFullQueueMakesWaitAndLosesNothing) {
  const std::uint64_t entries = 4000;
  {
    JournalThread thread(*store, {.queue_bytes = 1024, .queue_orders = 8}, {});
    for (std::uint64_t i = 1; i <= entries; ++i) {
      thread.append(entry(i, "entry " + std::to_string(i)));
      thread.seal(i);
    }
    ASSERT_TRUE(wait_for([&] { return thread.persisted() == entries; }));
  }
  ASSERT_EQ(store->durable(), EntryIndex(entries));
  for (std::uint64_t i = 1; i <= entries; i += 7) {
    const auto read = store->read(EntryIndex(i));
    ASSERT_TRUE(read);
    EXPECT_TRUE(std::ranges::equal(read->body, text_bytes("entry " + std::to_string(i))));
  }
}

TEST_F(JournalThreadTest, CarriesOutWhatWasOrderedBeforeItEnds) {
  {
    JournalThread thread(*store, {}, {});
    thread.append(entry(1, "one"));
    thread.commit(EntryIndex(1));
  }
  EXPECT_EQ(store->durable(), EntryIndex(1));
  EXPECT_EQ(store->commit(), EntryIndex(1));
}

TEST_F(JournalThreadTest, SaysWhyItFailed) {
  JournalThread thread(*store, {}, {});
  disk.fail_after(0, journal::DiskFault::full);
  thread.append(entry(1, "one"));
  thread.seal(1);
  ASSERT_TRUE(wait_for([&] { return thread.failed(); }));
  EXPECT_EQ(thread.persisted(), 0U);
  EXPECT_NE(thread.failure(), "");
}

}  // namespace
}  // namespace mallard::rsm
