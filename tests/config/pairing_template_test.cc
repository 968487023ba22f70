#include "config/pairing_template.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "config/fields.h"
#include "config/value_text.h"
#include "config/yaml/load_pairing.h"

namespace mallard::config {
namespace {

// Notes the key of every field, of nested structs too.
class KeyCollector {
 public:
  template <class Value, class Rule>
  void operator()(const Field& field, const Value&, const Rule&) {
    keys.emplace_back(field.key);
  }
  template <class Value>
  void operator()(const Field&, const Value&, UnavailableRule) {}

  std::vector<std::string> keys;
};

TEST(PairingTemplate, IsTheExampleAndLoads) {
  std::ifstream file("config/examples/two_clusters.yaml");
  std::stringstream content;
  content << file.rdbuf();
  EXPECT_EQ(pairing_template(), content.str());
  const auto loaded = parse_pairing(pairing_template(), "template");
  ASSERT_TRUE(loaded) << to_text(loaded.error().front());
  EXPECT_EQ(loaded->clusters.size(), 2U);
  EXPECT_EQ(loaded->links.size(), 1U);
}

TEST(PairingTemplate, HasKeysThatNobodyHolds) {
  const auto loaded = parse_pairing(pairing_template(), "template");
  ASSERT_TRUE(loaded);
  for (const ClusterSettings& cluster : loaded->clusters) {
    for (const ReplicaSettings& replica : cluster.replicas) {
      EXPECT_TRUE(is_placeholder(replica.keys.gateway));
      EXPECT_TRUE(is_placeholder(replica.keys.replica));
      EXPECT_TRUE(is_placeholder(replica.keys.signing));
    }
  }
}

template <class Settings>
void expect_every_key() {
  KeyCollector collector;
  const Settings settings;
  visit_fields(collector, settings);
  for (const std::string& key : collector.keys) {
    EXPECT_NE(pairing_template().find(key + ":"), std::string_view::npos) << key << " is not in the template";
  }
}

TEST(PairingTemplate, ShowsEverySetting) {
  expect_every_key<Pairing>();
  expect_every_key<ClusterSettings>();
  expect_every_key<FaultBudget>();
  expect_every_key<ReplicaSettings>();
  expect_every_key<ReplicaPorts>();
  expect_every_key<ReplicaKeys>();
  expect_every_key<LinkSettings>();
  expect_every_key<WindowSettings>();
  expect_every_key<ClientSettings>();
  expect_every_key<OperatorSettings>();
}

// What the template shows in comments is what a file without it gets.
TEST(PairingTemplate, ShowsTheDefaults) {
  std::string text(pairing_template());
  for (const std::string_view shown :
       {"# faults:", "# ports:", "# admin_address:", "# stake:", "# window:"}) {
    const std::size_t at = text.find(shown);
    ASSERT_NE(at, std::string::npos) << shown;
    text.erase(at, 2);
  }
  const auto shown = parse_pairing(text, "shown");
  ASSERT_TRUE(shown) << to_text(shown.error().front());
  EXPECT_EQ(*shown, *parse_pairing(pairing_template(), "template"));
}

}  // namespace
}  // namespace mallard::config
