#include "config/yaml/settings_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace mallard::config {
namespace {

// A reader that has read `text`, and what it had to say.
class Reading {
 public:
  explicit Reading(const std::string& text) : root_(parse_document(text, problems_)), reader_(problems_) {
    reader_.read(root_, pairing);
    static_cast<void>(problems_.take());  // the problems of the file itself
  }

  // The problem that a broken relation between these settings becomes; empty when it is not told.
  std::string broken(const std::vector<std::string>& settings) {
    reader_.add_broken(settings, "it is wrong", "repair it");
    const std::vector<ConfigProblem> told = problems_.take();
    return told.empty() ? "" : to_text(told.front());
  }

  Pairing pairing;

 private:
  ProblemList problems_{"f"};
  TreeNode root_;
  SettingsReader reader_;
};

const std::string file =
    "clusters:\n"
    "  east:\n"
    "    replicas:\n"
    "      - {id: 0, host: a}\n"
    "      - {id: 010, host: b}\n"
    "links:\n"
    "  - name: x\n";

TEST(SettingsReader, PointsAtTheSettingOrAtWhatIsAroundIt) {
  Reading reading(file);
  EXPECT_EQ(reading.broken({"clusters.east.replicas[0].host"}), "f:4:23: it is wrong; repair it");
  EXPECT_EQ(reading.broken({"clusters.east.replicas[0].stake"}), "f:4:9: it is wrong; repair it")
      << "left out";
  EXPECT_EQ(reading.broken({"clusters.east"}), "f:2:3: it is wrong; repair it");
  EXPECT_EQ(reading.broken({"clusters.east.faults.u"}), "f:2:3: it is wrong; repair it");
  EXPECT_EQ(reading.broken({"links[0].name"}), "f:7:11: it is wrong; repair it");
  EXPECT_EQ(reading.broken({"operators[3].key"}), "f: it is wrong; repair it");
}

TEST(SettingsReader, SaysNothingAboutSettingsThatItHadToGuess) {
  Reading reading(file);
  EXPECT_EQ(reading.broken({"clusters.east.replicas[1].id"}), "");
  EXPECT_EQ(reading.broken({"clusters.east.replicas[0].id", "clusters.east.replicas[1].id"}), "");
  EXPECT_EQ(reading.broken({"clusters.east.replicas[1].keys.gateway"}), "")
      << "a required mapping is missing";
  EXPECT_NE(reading.broken({"clusters.east.replicas[1].host"}), "");
  EXPECT_NE(reading.broken({"clusters.east.replicas[10].id"}), "") << "another element than [1]";
}

TEST(SettingsReader, KeepsWhatItCouldRead) {
  const Reading reading(file);
  ASSERT_EQ(reading.pairing.clusters.size(), 1U);
  EXPECT_EQ(reading.pairing.clusters[0].name, "east");
  ASSERT_EQ(reading.pairing.clusters[0].replicas.size(), 2U);
  EXPECT_EQ(reading.pairing.clusters[0].replicas[1].host, "b");
  EXPECT_EQ(reading.pairing.links[0].window, WindowSettings{});
}

}  // namespace
}  // namespace mallard::config
