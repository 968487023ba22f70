// Shared memory between real processes: what a grant, a pause and an end mean. MALLARD_MEMORY_ROUNDS sets how
// many rounds the two long tests run.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>

#include "config/base/prng.h"
#include "tests/transport/memory/shm/forked.h"
#include "tests/transport/memory/shm/shm_world.h"
#include "transport/memory/shm/grant_word.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex owner{0};
constexpr ProcessIndex writer{1};
constexpr RegionIndex granted{0};
constexpr RegionIndex fixed{1};

// How long one of the two long tests runs.
class Rounds {
 public:
  explicit Rounds(std::uint64_t standard) : goal_(standard) {
    const char* asked =
        std::getenv("MALLARD_MEMORY_ROUNDS");  // NOLINT(concurrency-mt-unsafe): no threads yet
    if (asked == nullptr) return;
    goal_ = std::strtoull(asked, nullptr, 10);
    deadline_ = std::chrono::steady_clock::time_point::max();
  }
  [[nodiscard]] std::uint64_t goal() const { return goal_; }
  // The goal is reached, or, on a busy machine, so much time is over and an hundredth of it is reached.
  [[nodiscard]] bool enough(std::uint64_t done) const {
    return done >= goal_ || (done >= goal_ / 100 && std::chrono::steady_clock::now() > deadline_);
  }

 private:
  std::uint64_t goal_;
  std::chrono::steady_clock::time_point deadline_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(6);
};

Work write_of(ByteView source, std::uint64_t offset, GrantNumber grant) {
  Work work;
  work.region = granted;
  work.grant = grant;
  work.offset = offset;
  work.source = source;
  return work;
}

GrantNumber regrant(Domain& domain, ProcessIndex to, std::uint64_t live) {
  domain.regrant(granted, to, {0, live});
  EXPECT_TRUE(wait_until([&] { return domain.granted(granted).value != 0; }));
  return domain.granted(granted);
}

// Posts one work to a direct link, which carries it out at once.
WorkStatus status_of(Link& link, const Work& work) {
  std::array<WorkDone, 1> done;
  if (!link.post(std::span(&work, 1)) || link.poll(done) != 1) std::abort();
  return done[0].status;
}

// ---- Revocation versus success ----

constexpr std::uint64_t litmus_rounds_max = 10'000'000;

struct Litmus {
  std::atomic<bool> ready = false;
  std::atomic<std::uint64_t> grant = 0;
  std::atomic<std::uint64_t> first_sequence = 0;
  std::array<std::atomic<std::uint64_t>, 4> outcomes{};
  // By round: the greatest value whose write was reported ok under that round's grant.
  std::array<std::atomic<std::uint64_t>, litmus_rounds_max> ok{};
};

[[noreturn]] void write_for_ever(ShmWorld& world, Litmus& litmus) {
  const auto node = world.open(writer);
  Link& link = node->link(owner);
  if (!wait_live(link)) std::abort();
  litmus.ready = true;
  std::uint64_t refused = 0;
  std::array<std::uint64_t, 8> words{};
  for (std::uint64_t value = 1;; ++value) {
    std::uint64_t grant = litmus.grant.load(std::memory_order_acquire);
    for (int spins = 0; grant == refused; ++spins) {
      if (spins % 1000 == 999) std::this_thread::yield();
      grant = litmus.grant.load(std::memory_order_acquire);
    }
    words.fill(value);
    const WorkStatus status =
        status_of(link, write_of(std::as_bytes(std::span(words)), 0, GrantNumber(grant)));
    litmus.outcomes[static_cast<std::size_t>(status)].fetch_add(1, std::memory_order_relaxed);
    if (status == WorkStatus::ok) {
      const std::uint64_t round = GrantWord{grant}.sequence() - litmus.first_sequence.load();
      litmus.ok[round].store(value, std::memory_order_release);
    } else {
      refused = grant;
      link.reset();
    }
  }
}

// Dekker: whatever was reported ok before a regrant is in what the regrant carried over.
TEST(Processes, a_reported_write_is_never_missed_by_the_next_grant) {
  const Rounds planned(100'000);
  ASSERT_LT(planned.goal(), litmus_rounds_max);
  ShmWorld world(ShmMode::direct, 2, {RegionLayout{64, 3, 0, true}});
  SharedWithChildren<Litmus> litmus;
  const ForkedChild child([&] { write_for_ever(world, *litmus.operator->()); });
  const auto node = world.open(owner);
  Domain& domain = node->domain();
  ASSERT_TRUE(wait_until([&] { return litmus->ready.load(); }));
  Prng prng(1);
  std::vector<std::uint64_t> found;  // by round: the least word that its regrant carried over
  for (std::uint64_t round = 0; !planned.enough(round); ++round) {
    const GrantNumber grant = regrant(domain, writer, 64);
    const ByteView bytes = domain.bytes(granted);
    found.push_back(UINT64_MAX);
    for (std::uint64_t offset = 0; offset < 64; offset += word_bytes) {
      found.back() = std::min(found.back(), load_word(bytes, offset));
    }
    if (round == 0) litmus->first_sequence = GrantWord{grant.value}.sequence();
    litmus->grant.store(grant.value, std::memory_order_release);
    if (prng.below(8) != 0) {
      ASSERT_TRUE(wait_until([&] { return litmus->ok[round].load(std::memory_order_acquire) != 0; }));
    }
    for (std::uint64_t spins = prng.below(300); spins > 0; --spins) {
      [[maybe_unused]] const std::uint64_t seen = load_word(bytes, 0);
    }
  }
  std::uint64_t missed = 0;
  for (std::uint64_t round = 1; round < found.size(); ++round) {
    if (found[round] < litmus->ok[round - 1].load()) ++missed;
  }
  EXPECT_EQ(missed, 0U);
  // The race was a race: many grants were taken away in the middle of a write.
  RecordProperty("cut_in_the_middle", static_cast<int>(litmus->outcomes[2].load()));
  RecordProperty("rounds", static_cast<int>(found.size()));
  EXPECT_GT(litmus->outcomes[2].load(), 0U);
  EXPECT_GT(litmus->outcomes[0].load(), found.size() / 2);
}

// ---- A paused former leader ----

constexpr std::uint64_t slots = 32;
using Entry = std::array<std::uint64_t, 32>;
constexpr std::uint64_t log_bytes = slots * sizeof(Entry);

Entry entry_of(std::uint64_t number, std::uint64_t grant) {
  Entry entry;
  Prng prng(number ^ grant);
  for (std::uint64_t& word : entry) word = prng.next();
  return entry;
}

struct Leadership {
  std::atomic<bool> ready = false;
  std::atomic<std::uint64_t> grant = 0;
  std::atomic<std::uint64_t> committed = 0;  // entries so far, all of them reported ok
  std::atomic<std::uint64_t> noticed = 0;    // how often a write was refused
};

[[noreturn]] void lead_for_ever(ShmWorld& world, Leadership& leadership) {
  const auto node = world.open(writer);
  Link& link = node->link(owner);
  if (!wait_live(link)) std::abort();
  leadership.ready = true;
  std::uint64_t refused = 0;
  std::uint64_t number = 1;
  while (true) {
    const std::uint64_t grant = leadership.grant.load(std::memory_order_acquire);
    if (grant == refused) {
      std::this_thread::yield();
      continue;
    }
    const Entry entry = entry_of(number, grant);
    const std::uint64_t offset = number % slots * sizeof(Entry);
    const WorkStatus status =
        status_of(link, write_of(std::as_bytes(std::span(entry)), offset, GrantNumber(grant)));
    if (status == WorkStatus::ok) {
      leadership.committed.store(number++, std::memory_order_release);
    } else {
      refused = grant;
      link.reset();
      leadership.noticed.fetch_add(1, std::memory_order_release);
    }
  }
}

std::vector<std::byte> copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// L7 of the attack catalogue: stopped at any point of a stream of writes, resumed after the regrant.
TEST(Processes, a_paused_leader_changes_nothing_after_it_resumes) {
  const Rounds planned(4'000);
  ShmWorld world(ShmMode::direct, 2, {RegionLayout{log_bytes, 3, 0, true}});
  SharedWithChildren<Leadership> leadership;
  const ForkedChild child([&] { lead_for_ever(world, *leadership.operator->()); });
  const auto node = world.open(owner);
  Domain& domain = node->domain();
  ASSERT_TRUE(wait_until([&] { return leadership->ready.load(); }));
  Prng prng(2);
  std::uint64_t cut = 0;  // a write that it had finished was reported after the pause
  for (std::uint64_t round = 1; !planned.enough(round - 1); ++round) {
    const GrantNumber old = regrant(domain, writer, log_bytes);
    const std::uint64_t before = leadership->committed.load();
    leadership->grant.store(old.value, std::memory_order_release);
    const std::uint64_t goal = before + prng.between(1, 40);
    ASSERT_TRUE(wait_until([&] { return leadership->committed.load(std::memory_order_acquire) >= goal; }));
    child.stop();
    GrantNumber next = regrant(domain, owner, log_bytes);
    // Through so many instances that one in use by mistake would come up.
    for (std::uint64_t more = prng.below(8); more > 0; --more) next = regrant(domain, owner, log_bytes);

    std::vector<std::byte> expected = copy_of(domain.bytes(granted));
    const std::uint64_t committed = leadership->committed.load();
    for (std::uint64_t number = committed; number > before && number + slots - 1 > committed; --number) {
      const Entry entry = entry_of(number, old.value);
      ASSERT_EQ(std::memcmp(expected.data() + number % slots * sizeof(Entry), &entry, sizeof(entry)), 0);
    }
    const Entry ours = entry_of(round, next.value);
    const std::uint64_t offset = prng.below(slots) * sizeof(Entry);
    ASSERT_EQ(status_of(node->link(owner), write_of(std::as_bytes(std::span(ours)), offset, next)),
              WorkStatus::ok);
    std::memcpy(expected.data() + offset, &ours, sizeof(ours));

    child.resume();
    ASSERT_TRUE(wait_until([&] { return leadership->noticed.load(std::memory_order_acquire) == round; }));
    ASSERT_EQ(copy_of(domain.bytes(granted)), expected) << "round " << round;
    if (leadership->committed.load() != committed) ++cut;
  }
  RecordProperty("reported_after_the_pause", static_cast<int>(cut));
}

// A process that stands still does not hold up grants, however many there are.
TEST(Processes, a_paused_writer_delays_no_regrant) {
  ShmWorld world(ShmMode::direct, 2, {RegionLayout{log_bytes, 3, 0, true}});
  SharedWithChildren<Leadership> leadership;
  const ForkedChild child([&] { lead_for_ever(world, *leadership.operator->()); });
  const auto node = world.open(owner);
  ASSERT_TRUE(wait_until([&] { return leadership->ready.load(); }));
  leadership->grant = regrant(node->domain(), writer, log_bytes).value;
  ASSERT_TRUE(wait_until([&] { return leadership->committed.load() > 100; }));
  child.stop();
  for (int i = 0; i < 100; ++i) {
    node->domain().regrant(granted, i % 2 == 0 ? owner : writer, {0, log_bytes});
    ASSERT_NE(node->domain().granted(granted).value, 0U);  // at once
  }
  child.resume();
}

// ---- Memory of a process that is stopped or gone ----

struct Serving {
  std::atomic<bool> ready = false;
};

void serve_for_ever(ShmWorld& world, Serving& serving) {
  const auto node = world.open(owner);
  serving.ready = true;
  while (node != nullptr) ::pause();
}

Work first_word(WorkKind kind, std::uint64_t& word) {
  Work work;
  work.kind = kind;
  work.region = fixed;
  if (kind == WorkKind::write) work.source = std::as_bytes(std::span(&word, 1));
  if (kind == WorkKind::read) work.destination = std::as_writable_bytes(std::span(&word, 1));
  return work;
}

class ServedMemory : public testing::TestWithParam<ShmMode> {
 protected:
  const std::vector<RegionLayout> layout{RegionLayout{64, 3, 0, true}, RegionLayout{64, 3, 3, false}};
  ShmWorld world{GetParam(), 2, layout};
  SharedWithChildren<Serving> serving;
};

TEST_P(ServedMemory, answers_while_its_process_is_stopped_only_if_that_is_declared) {
  const ForkedChild server([&] { serve_for_ever(world, *serving.operator->()); });
  const auto node = world.open(writer);
  Link& link = node->link(owner);
  ASSERT_TRUE(wait_live(link));
  std::uint64_t word = 7;
  EXPECT_EQ(carry_out(link, first_word(WorkKind::write, word)).status, WorkStatus::ok);
  server.stop();
  std::uint64_t seen = 0;
  const Work read = first_word(WorkKind::read, seen);
  ASSERT_TRUE(link.post(std::span(&read, 1)));
  std::array<WorkDone, 1> done;
  if (link.capabilities().independent_of_process) {
    ASSERT_EQ(link.poll(done), 1U);
  } else {
    // It hangs: no answer, no failure.
    for (int i = 0; i < 10'000; ++i) ASSERT_EQ(link.poll(done), 0U);
    EXPECT_FALSE(link.dead());
    server.resume();
    ASSERT_TRUE(wait_until([&] { return link.poll(done) == 1; }));
  }
  EXPECT_EQ(done[0].status, WorkStatus::ok);
  EXPECT_EQ(seen, 7U);
}

TEST_P(ServedMemory, dies_with_its_process_and_the_next_life_is_another_memory) {
  ForkedChild server([&] { serve_for_ever(world, *serving.operator->()); });
  // Forked before there are threads; it begins to serve when the first is gone.
  SharedWithChildren<Serving> second;
  const ForkedChild successor([&] {
    while (!second->ready) std::this_thread::yield();
    serve_for_ever(world, *serving.operator->());
  });
  const auto node = world.open(writer);
  Link& link = node->link(owner);
  ASSERT_TRUE(wait_live(link));
  std::uint64_t word = 7;
  EXPECT_EQ(carry_out(link, first_word(WorkKind::write, word)).status, WorkStatus::ok);
  server.kill();
  ASSERT_TRUE(wait_until([&] { return link.dead(); }));
  EXPECT_EQ(carry_out(link, first_word(WorkKind::write, word)).status, WorkStatus::flushed);
  link.reset();
  EXPECT_TRUE(link.dead());
  second->ready = true;
  ASSERT_TRUE(wait_live(link));
  EXPECT_EQ(carry_out(link, first_word(WorkKind::read, word)).status, WorkStatus::ok);
  EXPECT_EQ(word, 0U);
}

INSTANTIATE_TEST_SUITE_P(Modes, ServedMemory, testing::Values(ShmMode::direct, ShmMode::agent),
                         [](const auto& mode) { return mode.param == ShmMode::direct ? "direct" : "agent"; });

// Between users, the kernel keeps a reader from writing, whatever it tries.
TEST(Processes, a_reader_of_another_user_cannot_make_its_descriptor_writable) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can start processes of other users";
  const auto memory = SharedMemory::create("test", 4096, SharedMemory::Writers::holders_of_fd);
  ASSERT_TRUE(memory);
  const auto fd = memory->read_only_fd();
  ASSERT_TRUE(fd);
  const std::string path = fmt::format("/proc/self/fd/{}", fd->number());
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(2);
    ::_exit(::open(path.c_str(), O_RDWR) < 0 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace mallard::memory
