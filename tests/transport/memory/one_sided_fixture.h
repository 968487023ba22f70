// The fixture of the conformance suite: two posters and an owner, five regions with different rights, links
// to the owner that live.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <vector>

#include "tests/transport/memory/backend.h"

namespace mallard::memory {
inline constexpr ProcessIndex a{0};
inline constexpr ProcessIndex b{1};
inline constexpr ProcessIndex owner{2};

inline constexpr RegionIndex open_region{0};      // all read, all write
inline constexpr RegionIndex granted_region{1};   // all read
inline constexpr RegionIndex readable_region{2};  // all read, the owner writes
inline constexpr RegionIndex private_region{3};   // only the owner
inline constexpr RegionIndex of_a{4};             // all read, a writes

inline constexpr std::size_t depth = 32;
using Words = std::array<std::uint64_t, 8>;

inline Words filled(std::uint64_t value) {
  Words words;
  words.fill(value);
  return words;
}

class OneSided : public testing::TestWithParam<BackendKind> {
 protected:
  OneSided()
      : memory(GetParam().open(
            {RegionLayout{1024, 7, 7, false}, RegionLayout{1024, 7, 0, true}, RegionLayout{64, 7, 0, false},
             RegionLayout{64, 0, 0, false}, RegionLayout{64, 7, 1, false}},
            depth)) {
    for (const ProcessIndex from : {a, b, owner}) {
      for (const ProcessIndex to : {a, b, owner}) await_live(from, to);
    }
  }

  template <class Condition>
  [[nodiscard]] bool passes_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      memory->let_pass();
    }
    return true;
  }
  void await_live(ProcessIndex from, ProcessIndex to) {
    std::array<WorkDone, 1> none;
    ASSERT_TRUE(passes_until([&] {
      EXPECT_EQ(memory->link(from, to).poll(none), 0U);
      return !memory->link(from, to).dead();
    }));
  }

  Work write(RegionIndex region, std::uint64_t offset, ByteView source, GrantNumber grant = {}) {
    Work work;
    work.id = WorkId(++last_id);
    work.region = region;
    work.grant = grant;
    work.offset = offset;
    work.source = source;
    return work;
  }
  Work write(RegionIndex region, std::uint64_t offset, const Words& source, GrantNumber grant = {}) {
    return write(region, offset, std::as_bytes(std::span(source)), grant);
  }
  Work read(RegionIndex region, std::uint64_t offset, Words& destination) {
    Work work = write(region, offset, ByteView());
    work.kind = WorkKind::read;
    work.destination = std::as_writable_bytes(std::span(destination));
    return work;
  }
  Work swap(RegionIndex region, std::uint64_t offset, std::uint64_t expected, std::uint64_t desired) {
    Work work = write(region, offset, ByteView());
    work.kind = WorkKind::compare_swap;
    work.expected = expected;
    work.desired = desired;
    return work;
  }

  bool post(ProcessIndex from, const Work& work) {
    return memory->link(from, owner).post(std::span(&work, 1));
  }
  // The next `count` reports of a link to the owner.
  std::vector<WorkDone> reports(ProcessIndex from, std::size_t count) {
    std::vector<WorkDone> done(count);
    std::size_t got = 0;
    EXPECT_TRUE(passes_until([&] {
      got += memory->link(from, owner).poll(std::span(done).subspan(got));
      return got == count;
    }));
    return done;
  }
  WorkDone carry_out(ProcessIndex from, const Work& work) {
    EXPECT_TRUE(post(from, work));
    const WorkDone done = reports(from, 1).front();
    EXPECT_EQ(done.id, work.id);
    return done;
  }
  WorkStatus status_of(ProcessIndex from, const Work& work) { return carry_out(from, work).status; }
  void revive(ProcessIndex from) {
    memory->link(from, owner).reset();
    await_live(from, owner);
  }
  GrantNumber grant_to(ProcessIndex writer) {
    memory->domain(owner).regrant(granted_region, writer, {0, 1024});
    EXPECT_TRUE(passes_until([&] { return memory->domain(owner).granted(granted_region).value != 0; }));
    return memory->domain(owner).granted(granted_region);
  }
  std::uint64_t word(RegionIndex region, std::uint64_t offset) {
    return load_word(memory->domain(owner).bytes(region), offset);
  }
  void let_much_pass() {
    for (int i = 0; i < 200; ++i) memory->let_pass();
  }

  std::uint64_t last_id = 0;
  std::unique_ptr<Backend> memory;
};

}  // namespace mallard::memory
