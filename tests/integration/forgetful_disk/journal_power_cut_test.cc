// A journal in a process of its own, killed at any moment, on a disk that then forgets what was not synced.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "rsm/replica/journal/journal.h"
#include "rsm/replica/journal/real_disk.h"
#include "tests/integration/forgetful_disk/forgetful_mount.h"

namespace mallard::rsm::journal {
namespace {

using integration::ForgetfulMount;

constexpr JournalSettings settings{.segment_bytes = 256U << 10,
                                   .segments_max = 6,
                                   .entries_max = 4096,
                                   .group_bytes_max = 64U << 10,
                                   .body_bytes_max = 16U << 10};
constexpr int exit_of_dead_journal = 7;

// What the child has acknowledged, as it goes through a pipe.
struct Acknowledged {
  std::uint64_t durable = 0;
  std::uint64_t term = 0;
};

std::vector<std::byte> body_of(std::uint64_t index) {
  Prng prng(index);
  std::vector<std::byte> body(prng.between(1, index % 9 == 0 ? 9000 : 600));
  for (std::byte& byte : body) {
    byte = static_cast<std::byte>(prng.between(1, 255));
  }
  return body;
}

JournalResult<std::unique_ptr<Journal>> open_journal(Disk& disk, std::uint64_t incarnation) {
  FreshIdentity fresh{.store = {}, .incarnation = Incarnation(incarnation)};
  fresh.store.bytes[0] = std::byte{1};
  return Journal::open(disk, settings, fresh);
}

AppendOutcome append_next(Journal& journal) {
  const EntryIndex index = journal.last().next();
  const std::vector<std::byte> body = body_of(index.value);
  return journal.append({.index = index, .term = Term(1), .epoch = Epoch(1), .body = body});
}

bool forget_front(Journal& journal) {
  const EntryIndex through = journal.durable();
  journal.set_commit(through);
  return journal.set_snapshot({.index = through, .term = Term(1), .digest = {}}) &&
         journal.truncate_front(through);
}

// One turn of the child: some entries, a sync, now and then a promise. False once the journal is dead.
bool work(Journal& journal, Prng& prng, Acknowledged& acknowledged) {
  const std::uint64_t count = prng.between(1, 20);
  for (std::uint64_t i = 0; i < count; ++i) {
    const AppendOutcome outcome = append_next(journal);
    if (outcome == AppendOutcome::journal_full) {
      if (!journal.sync() || !forget_front(journal)) {
        return false;
      }
    } else if (outcome != AppendOutcome::accepted) {
      break;
    }
  }
  const auto synced = journal.sync();
  if (!synced) {
    return false;
  }
  acknowledged.durable = synced->value;
  if (prng.below(10) == 0) {
    const Promises promises{.term = journal.promises().term.next(), .may_vote = true};
    if (!journal.promise(promises)) {
      return false;
    }
    acknowledged.term = promises.term.value;
  }
  return true;
}

// In the child: works until it is killed or its journal dies, and tells what it acknowledged.
[[noreturn]] void run_child(const std::filesystem::path& directory, std::uint64_t seed, int pipe) {
  auto disk = RealDisk::open_directory(directory);
  auto journal = disk ? open_journal(**disk, seed) : JournalResult<std::unique_ptr<Journal>>();
  if (!disk || !journal) {
    ::_exit(exit_of_dead_journal);
  }
  Prng prng(seed);
  Acknowledged acknowledged;
  acknowledged.durable = (*journal)->durable().value;
  acknowledged.term = (*journal)->promises().term.value;
  while (work(**journal, prng, acknowledged)) {
    if (::write(pipe, &acknowledged, sizeof acknowledged) != sizeof acknowledged) {
      ::_exit(1);
    }
  }
  ::_exit(exit_of_dead_journal);
}

class Child {
 public:
  Child(const std::filesystem::path& directory, std::uint64_t seed) {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends_[0]);
      run_child(directory, seed, ends_[1]);
    }
    ::close(ends_[1]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { ::close(ends_[0]); }

  // False at the end of the child.
  bool hear(Acknowledged& into) { return ::read(ends_[0], &into, sizeof into) == sizeof into; }
  void kill() const { ::kill(pid_, SIGKILL); }
  int wait() {
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  std::array<int, 2> ends_{};
  pid_t pid_ = -1;
};

void check(const std::filesystem::path& directory, const Acknowledged& acknowledged) {
  auto disk = RealDisk::open_directory(directory);
  ASSERT_TRUE(disk) << disk.error().what;
  auto opened = open_journal(**disk, 1'000'000);
  ASSERT_TRUE(opened) << opened.error().what;
  Journal& journal = **opened;
  if (acknowledged.durable != 0) {
    ASSERT_EQ(journal.recovered().amnesia, AmnesiaCause::none);
  }
  EXPECT_EQ(journal.entries_damaged(), 0U);
  EXPECT_GE(journal.durable().value, acknowledged.durable);
  EXPECT_GE(journal.promises().term.value, acknowledged.term);
  for (EntryIndex index = journal.front().next(); index <= journal.last(); index = index.next()) {
    const auto entry = journal.read(index);
    ASSERT_TRUE(entry) << index.value;
    const std::vector<std::byte> body = body_of(index.value);
    ASSERT_TRUE(std::equal(entry->body.begin(), entry->body.end(), body.begin(), body.end())) << index.value;
  }
}

class JournalPowerCut : public testing::Test {
 protected:
  void SetUp() override {
    auto mounted = ForgetfulMount::mount();
    ASSERT_TRUE(mounted) << mounted.error();
    mount_.emplace(std::move(*mounted));
    directory_ = mount_->path() / "replica";
    ASSERT_TRUE(std::filesystem::create_directory(directory_));
  }

  std::optional<ForgetfulMount> mount_;
  std::filesystem::path directory_;
};

TEST_F(JournalPowerCut, disk_forgets_what_nobody_synced) {
  std::ofstream(directory_ / "careless") << "gone";
  ASSERT_TRUE(std::filesystem::exists(directory_ / "careless"));
  ASSERT_TRUE(mount_->tell("drop"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "careless"));
}

TEST_F(JournalPowerCut, everything_acknowledged_is_there_after_forty_cuts) {
  Prng prng(11);
  Acknowledged acknowledged;
  for (std::uint64_t round = 1; round <= 40; ++round) {
    Child child(directory_, round);
    const std::uint64_t turns = prng.between(0, 60);
    for (std::uint64_t turn = 0; turn < turns; ++turn) {
      ASSERT_TRUE(child.hear(acknowledged)) << "round " << round;
    }
    child.kill();
    // What it still said before it died counts too.
    while (child.hear(acknowledged)) {
    }
    ASSERT_EQ(child.wait(), 128 + SIGKILL);
    ASSERT_TRUE(mount_->tell(round % 2 == 0 ? "drop" : "tear " + std::to_string(round)));
    check(directory_, acknowledged);
    ASSERT_FALSE(HasFatalFailure() || HasNonfatalFailure()) << "round " << round;
  }
  EXPECT_GT(acknowledged.durable, 1000U);
  EXPECT_GT(acknowledged.term, 5U);
}

TEST_F(JournalPowerCut, failed_sync_ends_the_process_and_loses_nothing_acknowledged) {
  Acknowledged acknowledged;
  for (std::uint64_t round = 1; round <= 10; ++round) {
    Child child(directory_, round);
    ASSERT_TRUE(child.hear(acknowledged));
    ASSERT_TRUE(mount_->tell("fail"));
    while (child.hear(acknowledged)) {
    }
    ASSERT_EQ(child.wait(), exit_of_dead_journal);
    ASSERT_TRUE(mount_->tell("drop"));
    check(directory_, acknowledged);
    ASSERT_FALSE(HasFatalFailure() || HasNonfatalFailure()) << "round " << round;
  }
}

TEST_F(JournalPowerCut, full_disk_ends_the_process_and_loses_nothing_acknowledged) {
  Acknowledged acknowledged;
  {
    Child child(directory_, 1);
    ASSERT_TRUE(child.hear(acknowledged));
    ASSERT_TRUE(mount_->tell("space 300000"));
    while (child.hear(acknowledged)) {
    }
    ASSERT_EQ(child.wait(), exit_of_dead_journal);
  }
  ASSERT_TRUE(mount_->tell("drop"));
  check(directory_, acknowledged);
}

}  // namespace
}  // namespace mallard::rsm::journal
