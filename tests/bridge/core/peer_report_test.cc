#include "bridge/core/peer_report.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "config/base/prng.h"

namespace mallard::bridge {
namespace {

// A phi-list in the bytes of a frame.
class PhiBytes {
 public:
  explicit PhiBytes(const std::vector<std::uint64_t>& words) : bytes_(words.size() * 8) {
    ByteWriter writer(bytes_);
    for (const std::uint64_t word : words) {
      writer.write(word);
    }
  }
  [[nodiscard]] PhiList list() const { return PhiList(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

AckSection ack_of(std::uint64_t prefix, std::uint64_t durable, PhiList phi = {}) {
  return {.prefix = BatchNumber(prefix), .durable = BatchNumber(durable), .phi = phi};
}

TEST(PeerReport, nothing_is_known_before_the_first) {
  const PeerReport report;
  EXPECT_FALSE(report.heard());
  EXPECT_FALSE(report.has(1));
  EXPECT_TRUE(report.has(0));
  EXPECT_EQ(report.highest(), 0U);
}

TEST(PeerReport, bit_i_is_the_batch_after_the_prefix_plus_i) {
  const PhiBytes phi({0b110, 1ULL << 63});
  PeerReport report;
  report.update(ack_of(10, 8, phi.list()));
  EXPECT_TRUE(report.has(10));
  EXPECT_FALSE(report.has(11));
  EXPECT_TRUE(report.has(12));
  EXPECT_TRUE(report.has(13));
  EXPECT_FALSE(report.has(14));
  EXPECT_FALSE(report.has(10 + 127));
  EXPECT_TRUE(report.has(10 + 128));
  EXPECT_FALSE(report.has(10 + 129));
  EXPECT_EQ(report.highest(), 138U);
  EXPECT_EQ(report.prefix(), 10U);
  EXPECT_EQ(report.durable(), 8U);
}

TEST(PeerReport, agrees_with_a_set_of_numbers_at_every_boundary) {
  Prng random(1);
  for (const std::uint64_t base : {0ULL, (1ULL << 31) - 40, (1ULL << 32) - 40, (1ULL << 63) - 40}) {
    PeerReport report;
    for (int turn = 0; turn < 500; ++turn) {
      const std::uint64_t prefix = base + random.below(80);
      std::vector<std::uint64_t> words(random.below(phi_bits_max / 64 + 1));
      std::set<std::uint64_t> received;
      for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] = random.below(3) == 0 ? 0 : random.next() & random.next();
        words[i] &= i == 0 ? ~1ULL : ~0ULL;
        for (std::uint64_t bit = 0; bit < 64; ++bit) {
          if (((words[i] >> bit) & 1U) != 0) {
            received.insert(prefix + 1 + 64 * i + bit);
          }
        }
      }
      const PhiBytes phi(words);
      report.update(ack_of(prefix, base, phi.list()));
      ASSERT_EQ(report.highest(), received.empty() ? prefix : *received.rbegin());
      for (int probe = 0; probe < 40; ++probe) {
        const std::uint64_t batch = base + random.below(phi_bits_max + 200);
        ASSERT_EQ(report.has(batch), batch <= prefix || received.count(batch) != 0) << batch << " " << prefix;
        ASSERT_EQ(report.covers(batch), batch <= prefix + phi_bits_max) << batch << " " << prefix;
      }
    }
  }
}

TEST(PeerReport, the_latest_word_counts_even_if_it_takes_something_back) {
  const PhiBytes phi({0b10});
  PeerReport report;
  report.update(ack_of(10, 10, phi.list()));
  report.update(ack_of(4, 3));
  EXPECT_FALSE(report.has(12));
  EXPECT_FALSE(report.has(10));
  EXPECT_EQ(report.prefix(), 4U);
  EXPECT_EQ(report.durable(), 3U);
}

TEST(PeerReport, what_is_durable_outlives_the_session) {
  PeerReport report;
  report.update(ack_of(10, 9));
  EXPECT_TRUE(report.heard());
  report.session_ended();
  EXPECT_FALSE(report.heard());
  EXPECT_EQ(report.durable(), 9U);
}

TEST(PeerReport, zero_words_hide_no_later_bits) {
  const PhiBytes phi({0, 0, 1});
  PeerReport report;
  report.update(ack_of(0, 0, phi.list()));
  EXPECT_TRUE(report.has(129));
  EXPECT_EQ(report.highest(), 129U);
}

TEST(PeerReport, words_beyond_the_longest_phi_list_are_ignored) {
  std::vector<std::uint64_t> words(phi_bits_max / 64 + 3, 0);
  words.back() = 1;
  const PhiBytes phi(words);
  PeerReport report;
  report.update(ack_of(0, 0, phi.list()));
  EXPECT_EQ(report.highest(), 0U);
}

}  // namespace
}  // namespace mallard::bridge
