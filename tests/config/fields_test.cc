#include "config/fields.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mallard::config {
namespace {

// Checks that each default lies in its field's range.
class DefaultCheck {
 public:
  template <class Integer>
  void operator()(const Field& field, const Integer& value, CountRule rule) {
    check(field, value, rule.low, rule.high);
  }
  void operator()(const Field& field, const std::uint64_t& value, SizeRule rule) {
    check(field, value, rule.low, rule.high);
  }
  template <class Value, class Rule>
  void operator()(const Field& field, const Value&, const Rule&) {
    note(field);
  }

 private:
  void check(const Field& field, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    note(field);
    EXPECT_LE(low, value) << field.key;
    EXPECT_LE(value, high) << field.key;
  }
  void note(const Field& field) {
    EXPECT_TRUE(keys_.insert(field.key).second) << field.key << " is listed twice";
    EXPECT_NE(std::string(field.meaning), "") << field.key;
  }

  std::set<std::string> keys_;
};

template <class Settings>
void expect_good_list() {
  DefaultCheck check;
  Settings settings;
  visit_fields(check, settings);
}

TEST(Fields, AreListedOnceWithDefaultsInTheirRange) {
  expect_good_list<FaultBudget>();
  expect_good_list<ReplicaPorts>();
  expect_good_list<ReplicaKeys>();
  expect_good_list<ReplicaSettings>();
  expect_good_list<ClusterSettings>();
  expect_good_list<WindowSettings>();
  expect_good_list<LinkSettings>();
  expect_good_list<ClientSettings>();
  expect_good_list<OperatorSettings>();
  expect_good_list<Pairing>();
}

}  // namespace
}  // namespace mallard::config
