#include "config/yaml/document.h"

#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/value_text.h"

namespace mallard::config {
namespace {

// Where each line starts, so that byte columns can be told as characters.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
      starts_.push_back(at + 1);
    }
  }

  // `line` and `column` count from 0, columns in bytes.
  [[nodiscard]] Place place(std::size_t line, std::size_t column) const {
    line = std::min(line, starts_.size() - 1);
    const std::string_view before = text_.substr(starts_[line], column);
    const auto characters = std::count_if(before.begin(), before.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;  // not a UTF-8 continuation byte
    });
    return {static_cast<std::uint32_t>(line + 1), static_cast<std::uint32_t>(characters + 1)};
  }

  [[nodiscard]] Place at(std::size_t offset) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    const auto line = static_cast<std::size_t>(next - starts_.begin()) - 1;
    return place(line, offset - starts_[line]);
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

// ---- Bytes that must not reach the parser -------------------------------------------------------

// The length of the well-formed UTF-8 character at the front of `text` (RFC 3629); 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf && follows(1)) return 2;
  if (first >= 0xe0 && first <= 0xef && follows(1) && follows(2)) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4 && follows(1) && follows(2) && follows(3)) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool beyond = first == 0xf4 && byte(1) >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

// Adds the first thing that makes `text` unfit for any YAML reader, and says whether there was none.
// yaml-cpp would take a 0x04 byte for the end of the file and guess at other encodings; and it keeps every
// token behind an opening bracket, some 240 bytes each, until it has seen the end of the line or of the file.
bool check_bytes(std::string_view text, const LineIndex& lines, ProblemList& problems) {
  bool in_indentation = true;
  std::size_t punctuation = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    const char c = text[at];
    if (length == 0) {
      problems.add(lines.at(at), "the file is not UTF-8 text", "save it as UTF-8");
      return false;
    }
    const bool is_control = (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) && c != '\t' && c != '\n';
    if (is_control && !(c == '\r' && text.substr(at + 1).starts_with('\n'))) {
      problems.add(lines.at(at), fmt::format("the file contains the control character 0x{:02x}", c),
                   "save it as plain UTF-8 text");
      return false;
    }
    if (in_indentation && c == '\t') {
      problems.add(lines.at(at), "the line is indented with a tab", "indent with spaces");
      return false;
    }
    if (std::string_view("[]{},").find(c) != std::string_view::npos && ++punctuation > node_count_max) {
      problems.add(lines.at(at), fmt::format("the file has more than {} brackets and commas", node_count_max),
                   "make it smaller");
      return false;
    }
    in_indentation = c == '\n' || (in_indentation && c == ' ');
    at += length;
  }
  return true;
}

// ---- Events of yaml-cpp to a tree ---------------------------------------------------------------

// Thrown through the parser to stop it; what is wrong has been added.
struct ParsingStopped {};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const LineIndex& lines, ProblemList& problems) : lines_(lines), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_document_) {
      stop(mark, "a second document begins here",
           "keep one document per file; remove the `---` or `...` lines");
    }
    has_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_extras(mark, "", anchor);
    add(make(mark, TreeNode::Kind::nothing));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problems_.add(place(mark), "aliases (`*name`) are not allowed", "write the value out");
    TreeNode node = make(mark, TreeNode::Kind::nothing);
    node.is_refused = true;
    add(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_extras(mark, tag, anchor);
    TreeNode node = make(mark, TreeNode::Kind::scalar);
    node.text = value;
    node.is_quoted = tag == "!";  // yaml-cpp's mark of a scalar that is not plain
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_extras(mark, tag, anchor);
    open(make(mark, TreeNode::Kind::list));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_extras(mark, tag, anchor);
    open(make(mark, TreeNode::Kind::mapping));
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] TreeNode take() { return std::move(root_); }

 private:
  // A list or mapping whose end has not come; a mapping's key waits for its value.
  struct OpenNode {
    TreeNode node;
    std::optional<TreeNode> key;
    std::map<std::string, std::uint32_t> lines_of_keys;
  };

  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    return lines_.place(static_cast<std::size_t>(std::max(mark.line, 0)),
                        static_cast<std::size_t>(std::max(mark.column, 0)));
  }

  [[noreturn]] void stop(const YAML::Mark& mark, std::string what, std::string advice) {
    problems_.add(place(mark), std::move(what), std::move(advice));
    throw ParsingStopped{};
  }

  void check_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) {
      problems_.add(place(mark), "anchors (`&name`) are not allowed", "remove it and write each value out");
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      problems_.add(place(mark), fmt::format("tags ({}) are not allowed", shown(tag)), "remove it");
    }
  }

  TreeNode make(const YAML::Mark& mark, TreeNode::Kind kind) {
    if (++nodes_ > node_count_max) {
      stop(mark, fmt::format("the file has more than {} values", node_count_max), "make it smaller");
    }
    TreeNode node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  void open(TreeNode node) {
    if (open_.size() == node_depth_max) {
      problems_.add(node.place, fmt::format("values are nested more than {} deep", node_depth_max),
                    "nothing in a pairing needs that; remove brackets or indentation");
      throw ParsingStopped{};
    }
    open_.push_back({std::move(node), std::nullopt, {}});
  }

  void close() {
    TreeNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(TreeNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (OpenNode& parent = open_.back(); parent.node.kind == TreeNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = std::move(node);
    } else {
      add_entry(parent, std::move(*std::exchange(parent.key, std::nullopt)), std::move(node));
    }
  }

  void add_entry(OpenNode& mapping, TreeNode key, TreeNode value) {
    if (key.kind != TreeNode::Kind::scalar) {
      problems_.add(key.place, fmt::format("a key is expected here, not {}", kind_name(key.kind)),
                    "write `key: value`");
      return;
    }
    if (key.text == "<<" && !key.is_quoted) {
      problems_.add(key.place, "merge keys (`<<`) are not allowed", "write the values out");
      return;
    }
    if (key.text.size() > key_bytes_max) {
      problems_.add(key.place, fmt::format("the key {} has {} bytes", shown(key.text), key.text.size()),
                    fmt::format("no key has more than {}", key_bytes_max));
      return;
    }
    const auto [first, is_new] = mapping.lines_of_keys.emplace(key.text, key.place.line);
    if (!is_new) {
      problems_.add(key.place, fmt::format("the key {} appears twice", shown(key.text)),
                    fmt::format("keep one; the first is in line {}", first->second));
      return;
    }
    if (value.kind == TreeNode::Kind::nothing && !value.is_refused) {
      value.place = key.place;
    }
    mapping.node.keys.push_back(std::move(key));
    mapping.node.items.push_back(std::move(value));
  }

  const LineIndex& lines_;
  ProblemList& problems_;
  bool has_document_ = false;
  std::size_t nodes_ = 0;
  std::vector<OpenNode> open_;
  TreeNode root_;
};

// Reads from a view without copying it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // the get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

const TreeNode* TreeNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) {
      return &items[i];
    }
  }
  return nullptr;
}

std::string_view kind_name(TreeNode::Kind kind) {
  switch (kind) {
    case TreeNode::Kind::nothing:
      return "nothing";
    case TreeNode::Kind::scalar:
      return "a single value";
    case TreeNode::Kind::list:
      return "a list";
    case TreeNode::Kind::mapping:
      return "a mapping";
  }
  return "";
}

TreeNode parse_document(std::string_view text, ProblemList& problems) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) {
    text.remove_prefix(byte_order_mark.size());
  }
  const LineIndex lines(text);
  if (!check_bytes(text, lines, problems)) {
    return {};
  }
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder tree(lines, problems);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(tree)) {
    }
  } catch (const ParsingStopped&) {
    return {};
  } catch (const YAML::Exception& error) {
    const auto line = static_cast<std::size_t>(std::max(error.mark.line, 0));
    const auto column = static_cast<std::size_t>(std::max(error.mark.column, 0));
    problems.add(lines.place(line, column), fmt::format("this is not YAML: {}", error.msg),
                 "check the indentation, quotes and brackets from here upwards");
    return {};
  }
  return tree.take();
}

}  // namespace mallard::config
