// What a replica's journal costs beside what the disk costs: groups of entries, each made durable with one
// sync, and in turn with them the same bytes by bare pwrite and fdatasync into a file that was written
// before. In a directory of TMPDIR, which should lie on the disk in question.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "rsm/replica/journal/journal.h"
#include "rsm/replica/journal/real_disk.h"
#include "rsm/replica/journal/segment_scan.h"
#include "tests/support/alloc_guard.h"
#include "tests/support/scratch_directory.h"

namespace mallard::rsm::journal {
namespace {

constexpr std::size_t bare_file_bytes = 16U << 20;
constexpr std::uint64_t entries_kept = 30'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A file like a prepared segment, written to as plainly as can be.
class BareFile {
 public:
  explicit BareFile(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), bytes_(bare_file_bytes) {
    valid_ = ::pwrite(file_, bytes_.data(), bytes_.size(), 0) == static_cast<ssize_t>(bytes_.size()) &&
             ::fdatasync(file_) == 0;
    std::fill(bytes_.begin(), bytes_.end(), std::byte{0x35});
  }
  BareFile(const BareFile&) = delete;
  BareFile& operator=(const BareFile&) = delete;
  ~BareFile() { ::close(file_); }

  // Writes and syncs; returns the seconds that it took.
  double write(std::size_t bytes) {
    bytes = (bytes + group_alignment - 1) / group_alignment * group_alignment;
    if (at_ + bytes > bare_file_bytes) {
      at_ = 0;
    }
    const auto start = std::chrono::steady_clock::now();
    valid_ = valid_ &&
             ::pwrite(file_, bytes_.data(), bytes, static_cast<off_t>(at_)) == static_cast<ssize_t>(bytes) &&
             ::fdatasync(file_) == 0;
    at_ += bytes;
    return seconds_since(start);
  }
  [[nodiscard]] bool valid() const { return valid_; }

 private:
  int file_;
  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
  bool valid_ = false;
};

class BenchJournal {
 public:
  explicit BenchJournal(const std::filesystem::path& directory) {
    auto disk = RealDisk::open_directory(directory);
    if (disk) {
      disk_ = std::move(*disk);
      auto opened = Journal::open(*disk_, {.segments_max = 8}, {.store = {}, .incarnation = Incarnation(1)});
      if (opened && (*opened)->prepare_segment()) {
        journal_ = std::move(*opened);
      }
    }
  }

  // Appends and syncs one group; returns the seconds that it took, or a negative number.
  double write(std::size_t entries, ByteView body) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < entries; ++i) {
      const Entry entry{.index = journal_->last().next(), .term = Term(1), .epoch = Epoch(1), .body = body};
      if (journal_->append(entry) != AppendOutcome::accepted && !(journal_->sync() && append_again(entry))) {
        return -1;
      }
    }
    return journal_->sync() ? seconds_since(start) : -1;
  }

  // What a replica does in idle moments and after a snapshot: clears the next segment, recycles old ones.
  // Returns the seconds that it took, or a negative number.
  double keep_up() {
    const auto start = std::chrono::steady_clock::now();
    const EntryIndex through = journal_->durable();
    if (through.value - journal_->front().value > entries_kept && !truncate(through)) {
      return -1;
    }
    return journal_->prepare_segment() ? seconds_since(start) : -1;
  }
  [[nodiscard]] bool valid() const { return journal_ != nullptr; }

 private:
  bool append_again(const Entry& entry) {
    if (journal_->append(entry) == AppendOutcome::accepted) {
      return true;
    }
    return truncate(journal_->durable()) && journal_->append(entry) == AppendOutcome::accepted;
  }
  bool truncate(EntryIndex through) {
    journal_->set_commit(through);
    return journal_->set_snapshot({.index = through, .term = Term(1), .digest = {}}) &&
           journal_->truncate_front(through);
  }

  std::unique_ptr<RealDisk> disk_;
  std::unique_ptr<Journal> journal_;
};

// Arguments: entries per group, bytes per entry.
void append_and_sync(benchmark::State& state) {
  const ScratchDirectory directory;
  const auto entries = static_cast<std::size_t>(state.range(0));
  const std::vector<std::byte> body(static_cast<std::size_t>(state.range(1)), std::byte{1});
  double in_journal = 0;
  double bare = 0;
  double upkeep = 0;
  {
    BenchJournal journal(directory.path());
    BareFile file(directory.path() / "bare");
    bool well = journal.valid() && file.valid();
    std::uint64_t allocations = 0;
    for (auto unused : state) {
      const support::AllocGuard guard;
      const double seconds = well ? journal.write(entries, body) : -1;
      allocations += guard.allocations();
      const double besides = well ? journal.keep_up() : -1;
      well = well && seconds >= 0 && besides >= 0;
      if (!well) {
        state.SkipWithError("the disk fails");
        break;
      }
      in_journal += seconds;
      upkeep += besides;
      bare += file.write(entries * record_bytes(body.size()));
      state.SetIterationTime(seconds);
    }
    state.counters["allocations"] = static_cast<double>(allocations);
  }
  const auto count = static_cast<double>(state.iterations()) * static_cast<double>(entries);
  state.counters["appends/s"] = count / in_journal;
  state.counters["MB/s"] = count * static_cast<double>(body.size()) / in_journal / 1e6;
  state.counters["of_bare"] = bare / in_journal;
  state.counters["upkeep"] = upkeep / in_journal;
}
BENCHMARK(append_and_sync)
    ->ArgNames({"entries", "bytes"})
    ->ArgsProduct({{1, 16, 256}, {64, 1024}})
    ->Args({256, 3072})
    ->UseManualTime();

// The part of the processor: records are made in memory, and the group is thrown away by a restart of the
// log.
void append_only(benchmark::State& state) {
  const ScratchDirectory directory;
  const std::vector<std::byte> body(static_cast<std::size_t>(state.range(0)), std::byte{1});
  {
    auto disk = RealDisk::open_directory(directory.path());
    auto journal = Journal::open(**disk, {}, {.store = {}, .incarnation = Incarnation(1)});
    for (auto unused : state) {
      const EntryIndex index = (*journal)->last().next();
      if ((*journal)->append({.index = index, .term = Term(1), .epoch = Epoch(1), .body = body}) ==
          AppendOutcome::group_full) {
        state.PauseTiming();
        benchmark::DoNotOptimize((*journal)->restart_after({.index = index, .term = Term(1), .digest = {}}));
        state.ResumeTiming();
      }
    }
  }
}
BENCHMARK(append_only)->ArgName("bytes")->Arg(64)->Arg(1024)->Arg(16384);

}  // namespace
}  // namespace mallard::rsm::journal
