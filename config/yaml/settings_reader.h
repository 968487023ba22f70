// Fills settings structs from a tree, following each struct's list of fields (config/fields.h), and reports
// everything that does not fit.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "config/value_text.h"
#include "config/yaml/document.h"

namespace mallard::config {

class SettingsReader {
 public:
  explicit SettingsReader(ProblemList& problems) : problems_(problems) {}

  // Fills `pairing` from the root of a file. What could not be read keeps its default.
  void read(const TreeNode& root, Pairing& pairing);

  // Adds a problem at the setting with this path, or at the nearest mapping around it when the file leaves it
  // out. Nothing is added when one of the settings could not be read: its value would be a guess.
  void add_broken(const std::vector<std::string>& settings, std::string what, std::string advice);

 private:
  // Reads the fields of one mapping; what visit_fields calls.
  class Mapping;

  template <class Settings>
  void read_mapping(const TreeNode& node, const std::string& path, Settings& settings);

  // One per rule: the node's value into `out`, or a problem.
  template <class Integer>
  void read_value(const TreeNode& node, const std::string& path, Integer& out, CountRule rule);
  void read_value(const TreeNode& node, const std::string& path, std::uint64_t& out, SizeRule rule);
  void read_value(const TreeNode& node, const std::string& path, std::string& out, HostRule);
  void read_value(const TreeNode& node, const std::string& path, std::string& out, AddressRule);
  void read_value(const TreeNode& node, const std::string& path, std::string& out, NameRule);
  void read_value(const TreeNode& node, const std::string& path, PublicKey& out, KeyRule);
  void read_value(const TreeNode& node, const std::string& path, std::vector<std::string>& out, PrefixesRule);
  void read_value(const TreeNode& node, const std::string& path, ClusterIndex& out, ClusterRule);
  void read_value(const TreeNode& node, const std::string& path, Apply& out, ApplyRule);
  void read_value(const TreeNode& node, const std::string& path, ClusterKind& out, AttachRule);
  void read_value(const TreeNode& node, const std::string& path, ClusterKind& out, EngineRule);
  void read_value(const TreeNode& node, const std::string& path, Durability& out, DurabilityRule);
  void read_value(const TreeNode& node, const std::string& path, Memory& out, MemoryRule);
  void read_value(const TreeNode& node, const std::string& path, Wait& out, WaitRule);
  void read_value(const TreeNode& node, const std::string& path, const Memory& out, UnavailableRule rule);
  void read_value(const TreeNode& node, const std::string& path, FaultBudget& out, FaultsRule);
  template <class Settings>
  void read_value(const TreeNode& node, const std::string& path, Settings& out, NestedRule);
  // ListRule and NamedRule.
  template <class Settings, class Rule>
  void read_value(const TreeNode& node, const std::string& path, std::vector<Settings>& out,
                  const Rule& rule);

  void read_name(const TreeNode& key, const std::string& path, std::string& out);

  // A word of a setting; one without a value is known and not available in this version.
  template <class Value>
  struct Word {
    std::string_view text;
    std::optional<Value> value;
  };
  template <class Value>
  void read_word(const TreeNode& node, const std::string& path, Value& out,
                 std::span<const Word<Value>> words);

  // The text of a scalar that stands for a number, a size or a word; null, and a problem, when it is
  // something else.
  const std::string* plain_text(const TreeNode& node, const std::string& path, std::string_view wanted);
  // The text of a scalar that stands for text, quoted or not. Plain words that other readers take for
  // booleans, nulls or numbers are a problem.
  const std::string* any_text(const TreeNode& node, const std::string& path, std::string_view wanted);

  // Notes that the setting could not be read, and adds why, unless the node itself was refused already.
  void fail(const TreeNode& node, const std::string& path, std::string what, std::string advice);
  void fail(const TreeNode& node, const std::string& path, const ValueProblem& problem);

  [[nodiscard]] bool could_be_read(std::string path) const;

  ProblemList& problems_;
  std::vector<std::string_view> cluster_names_;  // in the order of the file; views into the tree
  std::map<std::string, Place, std::less<>> places_;
  std::set<std::string, std::less<>> failed_;
};

}  // namespace mallard::config
