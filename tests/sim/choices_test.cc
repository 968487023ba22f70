#include "tests/sim/choices.h"

#include <gtest/gtest.h>

namespace mallard::sim {
namespace {

TEST(Choices, OneStreamDoesNotShiftAnother) {
  Choices plain(5);
  Choices busy(5);
  for (int i = 0; i < 100; ++i) {
    busy.draw(Stream::disk, 10);
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(plain.draw(Stream::network, 1'000'000), busy.draw(Stream::network, 1'000'000));
  }
}

TEST(Choices, ATraceRepeatsARun) {
  Choices first(6);
  first.record();
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 2; i < 200; ++i) {
    values.push_back(first.draw(static_cast<Stream>(i % stream_count), i));
  }
  const ChoiceTrace trace = first.recorded();
  Choices again(trace);
  for (std::uint64_t i = 2; i < 200; ++i) {
    EXPECT_EQ(again.draw(static_cast<Stream>(i % stream_count), i), values[i - 2]);
  }
  EXPECT_EQ(again.draw(Stream::options, 1'000), 0U) << "where a trace has ended, it decides 0";
}

}  // namespace
}  // namespace mallard::sim
