#include "config/yaml/settings_reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "config/weights.h"

namespace mallard::config {
namespace {

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

// Plain words that YAML 1.1 or 1.2 readers take for something else than text.
bool is_ambiguous_text(std::string_view text) {
  constexpr std::array<std::string_view, 11> words{"y",    "n",     "yes",  "no", "on", "off",
                                                   "true", "false", "null", "~",  ""};
  std::string lower(text.substr(0, 8));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (std::find(words.begin(), words.end(), lower) != words.end()) {
    return true;
  }
  return text.find_first_not_of("0123456789._+-") == std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') < 2;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const std::optional<std::string_view> close = closest_word(word, known);
  return close ? fmt::format("did you mean {}?", shown(*close)) : std::string();
}

std::string one_of(std::span<const std::string_view> known) {
  std::string list;
  for (const std::string_view word : known) {
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  return list;
}

ValueProblem ambiguous_text(std::string_view text, std::string_view wanted) {
  return {fmt::format("{} without quotes is not text to every YAML reader", text.substr(0, 60)),
          fmt::format("put it in quotes if you mean {}", wanted)};
}

std::string found(const TreeNode& node) {
  return node.kind == TreeNode::Kind::scalar ? shown(node.text) : std::string(kind_name(node.kind));
}

}  // namespace

// ---- Mappings -----------------------------------------------------------------------------------

class SettingsReader::Mapping {
 public:
  Mapping(SettingsReader& reader, const TreeNode& node, const std::string& path)
      : reader_(reader), node_(node), path_(path) {}

  template <class Value, class Rule>
  void operator()(const Field& field, Value& out, const Rule& rule) {
    known_.emplace_back(field.key);
    const TreeNode* value = node_.find(field.key);
    const std::string path = join(path_, field.key);
    if (value != nullptr) {
      reader_.places_.emplace(path, value->place);
      if (is_in_place(*value, path, rule)) {
        reader_.read_value(*value, path, out, rule);
      }
    } else if (field.need == Need::required && !is_excused(rule)) {
      missing_.push_back(field);
    }
  }

  // Reports the keys that are no fields, and the fields that are missing.
  void finish() {
    for (const TreeNode& key : node_.keys) {
      if (std::find(known_.begin(), known_.end(), key.text) == known_.end()) {
        add_unknown(key);
      }
    }
    for (const Field& field : missing_) {
      reader_.fail(node_, join(path_, field.key),
                   path_.empty() ? fmt::format("{} is missing", shown(field.key))
                                 : fmt::format("{} has no {}", path_, shown(field.key)),
                   fmt::format("add `{}`, {}", field.key, field.meaning));
    }
  }

 private:
  // A cluster that names an engine attaches nothing.
  template <class Rule>
  [[nodiscard]] bool is_excused(const Rule&) const {
    return std::is_same_v<Rule, AttachRule> && node_.find("engine") != nullptr;
  }

  // Settings of an engine stand beside one, and what is attached does not.
  template <class Rule>
  [[nodiscard]] bool is_in_place(const TreeNode& value, const std::string& path, const Rule&) {
    const bool has_engine = node_.find("engine") != nullptr;
    if (std::is_same_v<Rule, AttachRule> && has_engine) {
      reader_.fail(value, path, fmt::format("{} has an engine and attaches something", path_),
                   "remove `engine` if you run the cluster, `attach` if Mallard does");
      return false;
    }
    const bool is_of_engine = std::is_same_v<Rule, DurabilityRule> || std::is_same_v<Rule, MemoryRule> ||
                              std::is_same_v<Rule, WaitRule>;
    if (is_of_engine && !has_engine) {
      reader_.fail(value, path, fmt::format("{} belongs to an engine", path),
                   "remove it, or add `engine: cft`");
      return false;
    }
    return true;
  }

  void add_unknown(const TreeNode& key) {
    const std::string guess = did_you_mean(key.text, known_);
    reader_.problems_.add(key.place, fmt::format("unknown key {}", shown(key.text)),
                          guess.empty() ? "remove it; known here are " + one_of(known_) : guess);
    // A misspelled field would be reported as missing too; the guess already says what to do.
    if (const auto close = closest_word(key.text, known_)) {
      const auto same = [&](const Field& field) { return *close == field.key; };
      const auto at = std::find_if(missing_.begin(), missing_.end(), same);
      if (at != missing_.end()) {
        reader_.failed_.insert(join(path_, *close));
        missing_.erase(at);
      }
    }
  }

  SettingsReader& reader_;
  const TreeNode& node_;
  const std::string& path_;
  std::vector<std::string_view> known_;
  std::vector<Field> missing_;
};

template <class Settings>
void SettingsReader::read_mapping(const TreeNode& node, const std::string& path, Settings& settings) {
  if (node.kind != TreeNode::Kind::mapping) {
    fail(node, path,
         fmt::format("{} must be a mapping, not {}", path.empty() ? "the file" : path, found(node)),
         "write `key: value` lines under it");
    return;
  }
  Mapping mapping(*this, node, path);
  visit_fields(mapping, settings);
  mapping.finish();
}

template <class Settings>
void SettingsReader::read_value(const TreeNode& node, const std::string& path, Settings& out, NestedRule) {
  read_mapping(node, path, out);
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, FaultBudget& out, FaultsRule) {
  read_mapping(node, path, out);
}

// The entries of a list, or of a mapping from their names.
template <class Settings, class Rule>
void SettingsReader::read_value(const TreeNode& node, const std::string& path, std::vector<Settings>& out,
                                const Rule& rule) {
  constexpr bool named = std::is_same_v<Rule, NamedRule>;
  static_assert(named || std::is_same_v<Rule, ListRule>);
  if (node.kind != (named ? TreeNode::Kind::mapping : TreeNode::Kind::list)) {
    fail(node, path,
         fmt::format("{} must be a {}, not {}", path, named ? "mapping from names" : "list", found(node)),
         named ? "write each name as a key, with its settings under it" : "write `- ` before each entry");
    return;
  }
  if (node.items.size() < rule.low || node.items.size() > rule.high) {
    fail(node, path, fmt::format("{} has {} entries", path, node.items.size()),
         fmt::format("write {} to {}", rule.low, rule.high));
    return;
  }
  out.resize(node.items.size());
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const TreeNode& head = named ? node.keys[i] : node.items[i];
    const std::string item_path = named ? join(path, head.text) : fmt::format("{}[{}]", path, i);
    places_.emplace(item_path, head.place);
    if constexpr (named) {
      read_name(head, item_path, out[i].name);
    }
    read_mapping(node.items[i], item_path, out[i]);
  }
}

// A name that is no good is kept, so that problems of what it names can be told in its words.
void SettingsReader::read_name(const TreeNode& key, const std::string& path, std::string& out) {
  out = key.text;
  std::optional<ValueProblem> problem = check_name(key.text);
  if (!problem && !key.is_quoted && is_ambiguous_text(key.text)) {
    problem = ambiguous_text(key.text, "a name");
  }
  if (problem) {
    failed_.insert(path + ".name");
    problems_.add(key.place, std::move(problem->what), std::move(problem->advice));
  }
}

// ---- Scalars ------------------------------------------------------------------------------------

const std::string* SettingsReader::plain_text(const TreeNode& node, const std::string& path,
                                              std::string_view wanted) {
  if (node.kind != TreeNode::Kind::scalar) {
    fail(node, path, fmt::format("{} must be {}, not {}", path, wanted, kind_name(node.kind)),
         fmt::format("write {}", wanted));
    return nullptr;
  }
  if (node.is_quoted) {
    fail(node, path,
         fmt::format("{} must be {}, but {} in quotes is text", path, wanted, node.text.substr(0, 60)),
         "remove the quotes");
    return nullptr;
  }
  return &node.text;
}

const std::string* SettingsReader::any_text(const TreeNode& node, const std::string& path,
                                            std::string_view wanted) {
  if (node.kind != TreeNode::Kind::scalar) {
    fail(node, path, fmt::format("{} must be {}, not {}", path, wanted, kind_name(node.kind)),
         fmt::format("write {}", wanted));
    return nullptr;
  }
  if (!node.is_quoted && is_ambiguous_text(node.text)) {
    fail(node, path, ambiguous_text(node.text, wanted));
    return nullptr;
  }
  return &node.text;
}

template <class Integer>
void SettingsReader::read_value(const TreeNode& node, const std::string& path, Integer& out, CountRule rule) {
  const std::string* text = plain_text(node, path, "a whole number");
  if (text == nullptr) return;
  const auto value =
      parse_count(*text, {rule.low, std::min<std::uint64_t>(rule.high, std::numeric_limits<Integer>::max())});
  if (!value) return fail(node, path, value.error());
  out = static_cast<Integer>(*value);
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, std::uint64_t& out,
                                SizeRule rule) {
  const std::string* text = plain_text(node, path, "a size, like 64MiB");
  if (text == nullptr) return;
  const auto value = parse_size(*text, rule);
  if (!value) return fail(node, path, value.error());
  out = *value;
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, std::string& out, HostRule) {
  const std::string* text = any_text(node, path, "a host");
  if (text == nullptr) return;
  if (const auto problem = check_host(*text)) return fail(node, path, *problem);
  out = *text;
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, std::string& out,
                                AddressRule) {
  const std::string* text = any_text(node, path, "an address");
  if (text == nullptr) return;
  if (const auto problem = check_listen_address(*text)) return fail(node, path, *problem);
  out = *text;
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, std::string& out, NameRule) {
  const std::string* text = any_text(node, path, "a name");
  if (text == nullptr) return;
  if (const auto problem = check_name(*text)) return fail(node, path, *problem);
  out = *text;
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, PublicKey& out, KeyRule) {
  if (node.kind != TreeNode::Kind::scalar) {
    return fail(node, path, {fmt::format("{} is not a public key", found(node)), "write \"ed25519:...\""});
  }
  const auto key = parse_public_key(node.text);
  if (!key) return fail(node, path, key.error());
  out = *key;
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, std::vector<std::string>& out,
                                PrefixesRule) {
  if (node.kind != TreeNode::Kind::list || node.items.empty() || node.items.size() > prefixes_max) {
    const std::string got =
        node.kind == TreeNode::Kind::list ? fmt::format("{} entries", node.items.size()) : found(node);
    fail(node, path, fmt::format("{} must be a list of 1 to {} prefixes, not {}", path, prefixes_max, got),
         "write it like [/app/, /users/], or leave it out to let every key pass");
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string item_path = fmt::format("{}[{}]", path, i);
    const std::string* text = any_text(node.items[i], item_path, "a key prefix");
    const std::optional<ValueProblem> problem = text == nullptr ? std::nullopt : check_prefix(*text);
    if (problem) {
      fail(node.items[i], item_path, *problem);
    }
    if (text == nullptr || problem) {
      failed_.insert(path);  // a list with a hole says nothing about overlaps
    } else {
      out.push_back(*text);
    }
  }
}

// ---- Words --------------------------------------------------------------------------------------

void SettingsReader::read_value(const TreeNode& node, const std::string& path, ClusterIndex& out,
                                ClusterRule) {
  const std::string* text = any_text(node, path, "the name of a cluster");
  if (text == nullptr) return;
  const auto at = std::find(cluster_names_.begin(), cluster_names_.end(), *text);
  if (at != cluster_names_.end()) {
    out = ClusterIndex(static_cast<std::uint16_t>(at - cluster_names_.begin()));
    return;
  }
  const std::string guess = did_you_mean(*text, cluster_names_);
  fail(node, path, fmt::format("there is no cluster {}", shown(*text)),
       guess.empty() ? "name one of: " + one_of(cluster_names_) : guess);
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, Apply& out, ApplyRule) {
  constexpr std::array<std::string_view, 3> words{"mirror", "reconcile", "transfer"};
  const std::string* text = plain_text(node, path, "a word");
  if (text == nullptr) return;
  if (*text == "mirror") {
    out = Apply::mirror;
  } else if (std::find(words.begin(), words.end(), *text) != words.end()) {
    fail(node, path, fmt::format("`apply: {}` is not available in this version", *text),
         "use `apply: mirror`");
  } else {
    const std::string guess = did_you_mean(*text, words);
    fail(node, path, fmt::format("{} is no way to apply", shown(*text)),
         guess.empty() ? "use `mirror`" : guess);
  }
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, ClusterKind& out, AttachRule) {
  constexpr const char* advice = "write `attach: {file: {}}`";
  if (node.kind != TreeNode::Kind::mapping || node.keys.size() != 1) {
    fail(node, path, fmt::format("{} must be a mapping with exactly one key", path), advice);
    return;
  }
  const std::string& word = node.keys.front().text;
  const TreeNode& options = node.items.front();
  if (word == "etcd") {
    fail(node.keys.front(), path, "attaching etcd is not available in this version", advice);
  } else if (word != "file") {
    fail(node.keys.front(), path, fmt::format("{} is nothing that can be attached", shown(word)), advice);
  } else if (options.kind != TreeNode::Kind::mapping || !options.keys.empty()) {
    fail(options, path, "`file` has no settings: its log is inside of each process's --data directory",
         advice);
  } else {
    out = ClusterKind::file;
  }
}

template <class Value>
void SettingsReader::read_word(const TreeNode& node, const std::string& path, Value& out,
                               std::span<const Word<Value>> words) {
  const std::string* text = plain_text(node, path, "a word");
  if (text == nullptr) return;
  std::vector<std::string_view> known;
  std::string usable;
  for (const Word<Value>& word : words) {
    known.push_back(word.text);
    if (word.value) {
      usable += fmt::format("{}`{}`", usable.empty() ? "" : " or ", word.text);
    }
  }
  const auto at = std::ranges::find(known, *text);
  if (at == known.end()) {
    const std::string_view key = std::string_view(path).substr(path.rfind('.') + 1);
    const std::string guess = did_you_mean(*text, known);
    fail(node, path, fmt::format("{} is no {}", shown(*text), key),
         guess.empty() ? fmt::format("use {}", usable) : guess);
    return;
  }
  const Word<Value>& word = words[static_cast<std::size_t>(at - known.begin())];
  if (!word.value) {
    const std::string_view key = std::string_view(path).substr(path.rfind('.') + 1);
    fail(node, path, fmt::format("`{}: {}` is not available in this version", key, *text),
         fmt::format("use {}", usable));
    return;
  }
  out = *word.value;
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, ClusterKind& out, EngineRule) {
  constexpr std::array<Word<ClusterKind>, 2> words{{{"cft", ClusterKind::cft}, {"bft", std::nullopt}}};
  read_word<ClusterKind>(node, path, out, words);
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, Durability& out,
                                DurabilityRule) {
  constexpr std::array<Word<Durability>, 2> words{
      {{"disk", Durability::disk}, {"replicated", Durability::replicated}}};
  read_word<Durability>(node, path, out, words);
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, Memory& out, MemoryRule) {
  constexpr std::array<Word<Memory>, 4> words{
      {{"auto", Memory::automatic}, {"shm", Memory::shm}, {"tcp", std::nullopt}, {"verbs", std::nullopt}}};
  read_word<Memory>(node, path, out, words);
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, Wait& out, WaitRule) {
  constexpr std::array<Word<Wait>, 2> words{{{"adaptive", Wait::adaptive}, {"spin", Wait::spin}}};
  read_word<Wait>(node, path, out, words);
}

void SettingsReader::read_value(const TreeNode& node, const std::string& path, const Memory&,
                                UnavailableRule rule) {
  const std::string_view key = std::string_view(path).substr(path.rfind('.') + 1);
  fail(node, path, fmt::format("`{}` is not available in this version", key), rule.instead);
}

// ---- Problems -----------------------------------------------------------------------------------

void SettingsReader::fail(const TreeNode& node, const std::string& path, std::string what,
                          std::string advice) {
  failed_.insert(path);
  if (node.is_refused) return;
  problems_.add(node.place, std::move(what), std::move(advice));
}

void SettingsReader::fail(const TreeNode& node, const std::string& path, const ValueProblem& problem) {
  fail(node, path, fmt::format("{}: {}", path, problem.what), problem.advice);
}

bool SettingsReader::could_be_read(std::string path) const {
  while (!failed_.contains(path)) {
    const std::size_t cut = path.find_last_of(".[");
    if (path.empty()) {
      return true;
    }
    path.resize(cut == std::string::npos ? 0 : cut);
  }
  return false;
}

void SettingsReader::add_broken(const std::vector<std::string>& settings, std::string what,
                                std::string advice) {
  if (!std::all_of(settings.begin(), settings.end(),
                   [&](const std::string& path) { return could_be_read(path); })) {
    return;
  }
  std::string path = settings.front();
  auto place = places_.find(path);
  while (place == places_.end() && !path.empty()) {
    const std::size_t cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
    place = places_.find(path);
  }
  problems_.add(place == places_.end() ? Place{} : place->second, std::move(what), std::move(advice));
}

void SettingsReader::read(const TreeNode& root, Pairing& pairing) {
  if (const TreeNode* clusters = root.find("clusters")) {
    for (std::size_t i = 0; i < std::min(clusters->keys.size(), clusters_max); ++i) {
      cluster_names_.push_back(clusters->keys[i].text);
    }
  }
  read_mapping(root, "", pairing);
  for (ClusterSettings& cluster : pairing.clusters) {
    const std::optional<Weight> total = total_weight(cluster);
    const std::string path = join("clusters", cluster.name);
    if (!places_.contains(join(path, "faults")) && total.value_or(0) > 0) {
      cluster.faults = implied_faults(*total);
    }
  }
}

}  // namespace mallard::config
