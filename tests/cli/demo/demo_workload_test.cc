#include "cli/demo/demo_workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

std::string text(ByteView bytes) {
  std::string characters;
  for (const std::byte byte : bytes) {
    characters.push_back(static_cast<char>(byte));
  }
  return characters;
}

std::string packages(int count) {
  std::string records;
  for (int i = 0; i < count; ++i) {
    records += "Package: p" + std::to_string(i) + "\nDescription: thing\n\n";
  }
  return records;
}

TEST(DemoWorkload, a_record_is_a_put_under_its_package_s_name) {
  const auto workload = DemoWorkload::from_records("Source: s\nPackage: name\nVersion: 1\n\nno package\n");
  ASSERT_TRUE(workload.has_value());
  EXPECT_EQ(workload->counts().values, 2U);
  EXPECT_EQ(text(workload->message(0)),
            std::string("\x04\0\0\0namePSource: s\nPackage: name\nVersion: 1", 43));
  EXPECT_NE(text(workload->message(1)).find("record/2P"), std::string::npos);
}

TEST(DemoWorkload, has_the_promised_numbers_of_each_kind) {
  const auto workload = DemoWorkload::from_records(packages(10'000));
  ASSERT_TRUE(workload.has_value());
  EXPECT_EQ(workload->counts().values, 10'000U);
  EXPECT_EQ(workload->counts().updates, 4'000U);
  EXPECT_EQ(workload->counts().deletes, 1'000U);
  EXPECT_EQ(workload->counts().increments, 2'000U);
  EXPECT_EQ(workload->size(), workload->counts().total());
}

TEST(DemoWorkload, is_the_same_every_time_and_can_grow) {
  auto one = DemoWorkload::from_records(packages(100));
  const auto two = DemoWorkload::from_records(packages(100));
  ASSERT_EQ(one->size(), two->size());
  for (std::size_t i = 0; i < one->size(); ++i) {
    EXPECT_EQ(text(one->message(i)), text(two->message(i)));
  }
  one->add_updates(50);
  EXPECT_EQ(one->size(), two->size() + 50);
  EXPECT_EQ(one->counts().total(), one->size());
}

TEST(DemoWorkload, input_without_a_record_or_with_one_too_large_is_refused) {
  EXPECT_FALSE(DemoWorkload::from_records("\n\n \n\n").has_value());
  EXPECT_FALSE(DemoWorkload::from_records(std::string(200'000, 'x')).has_value());
}

TEST(DemoWorkload, an_entry_is_one_transaction) {
  const auto workload = DemoWorkload::from_records(packages(1'000));
  std::size_t begin = 0;
  for (std::size_t entry = 0; entry < workload->entries(); ++entry) {
    const std::size_t end = workload->entry_end(entry);
    EXPECT_LE(end - begin, 64U);
    for (std::size_t i = begin + 1; i < end; ++i) {
      EXPECT_LT(workload->write(i - 1).key, workload->write(i).key) << "message " << i;
    }
    begin = end;
  }
  EXPECT_EQ(begin, workload->size());
}

TEST(DemoWorkload, a_name_that_comes_twice_keeps_its_order) {
  const auto workload = DemoWorkload::from_records("Package: a\nV: 1\n\nPackage: a\nV: 2\n");
  EXPECT_EQ(workload->write(0).value, "Package: a\nV: 1");
  EXPECT_EQ(workload->write(1).value, "Package: a\nV: 2\n");
  EXPECT_NE(workload->entry_end(0), workload->entry_end(1));
}

TEST(DemoWorkload, ends_in_the_state_that_its_messages_make) {
  const auto workload = DemoWorkload::from_records(packages(10'000));
  std::map<std::string_view, std::string> sums;
  const auto state = workload->final_state(sums);
  EXPECT_EQ(state.size(), 10'000U - 1'000U + 100U) << "without what was deleted, with the counters";
  EXPECT_EQ(state.at("counter/7"), std::string_view("\x14\0\0\0\0\0\0\0", 8)) << "2,000 over 100";
  const auto updated = static_cast<std::uint64_t>(
      std::ranges::count_if(state, [](const auto& entry) { return entry.second.starts_with("Update: "); }));
  EXPECT_GE(updated, 3'000U) << "4,000 without those that were deleted";
}

TEST(DemoInput, reads_the_named_file_or_says_that_it_cannot) {
  const TemporaryFolder folder;
  std::ofstream(folder.path("records")) << "one";
  const auto input = read_demo_input(folder.path("records"));
  ASSERT_TRUE(input.has_value());
  EXPECT_EQ(input->text, "one");
  EXPECT_FALSE(read_demo_input(folder.path("none")).has_value());
}

}  // namespace
}  // namespace mallard::cli
