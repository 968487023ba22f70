#include "config/print_pairing.h"

#include <string_view>

#include <fmt/format.h>

#include "config/fields.h"
#include "config/value_text.h"

namespace mallard::config {
namespace {

// In double quotes, as YAML and JSON both read them.
std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

// Walks the fields of one settings struct after the other and writes what it finds.
class Printer {
 public:
  explicit Printer(const Pairing& pairing) : pairing_(pairing) {}

  std::string print() {
    visit_fields(*this, pairing_);
    return std::move(out_);
  }

  template <class Value, class Rule>
  void operator()(const Field& field, const Value& value, const Rule& rule) {
    begin_field();
    out_ += field.key;
    out_ += ':';
    write(value, rule);
  }
  // A cluster has an engine with its settings, or something attached.
  void operator()(const Field& field, const ClusterKind& kind, EngineRule) {
    has_engine_ = kind == ClusterKind::cft;
    write_word(field, "cft", has_engine_);
  }
  void operator()(const Field& field, const Durability& durability, DurabilityRule) {
    write_word(field, word_of(durability), has_engine_);
  }
  void operator()(const Field& field, const Memory& memory, MemoryRule) {
    write_word(field, word_of(memory), has_engine_);
  }
  void operator()(const Field& field, const Wait& wait, WaitRule) {
    write_word(field, word_of(wait), has_engine_);
  }
  void operator()(const Field& field, const ClusterKind&, AttachRule) {
    write_word(field, "{file: {}}", !has_engine_);
  }
  void operator()(const Field&, const Memory&, UnavailableRule) {}

 private:
  // Inside braces fields follow each other on the line; elsewhere each begins a line of its own.
  void begin_field() {
    if (in_braces_) {
      out_ += out_.back() == '{' ? "" : ", ";
    } else if (after_dash_) {
      after_dash_ = false;
    } else {
      out_ += std::string(indent_, ' ');
    }
  }

  void write_word(const Field& field, std::string_view word, bool is_there) {
    if (is_there) {
      begin_field();
      out_ += field.key;
      out_ += ':';
      end_value(word);
    }
  }

  void end_value(std::string_view text) {
    out_ += ' ';
    out_ += text;
    out_ += in_braces_ ? "" : "\n";
  }

  template <class Integer>
  void write(Integer value, CountRule) {
    end_value(fmt::format("{}", value));
  }
  void write(std::uint64_t value, SizeRule) { end_value(size_text(value)); }
  void write(const std::string& value, HostRule) { end_value(yaml_text(value)); }
  void write(const std::string& value, AddressRule) { end_value(yaml_text(value)); }
  void write(const std::string& value, NameRule) { end_value(yaml_text(value)); }
  void write(const PublicKey& value, KeyRule) { end_value(yaml_text(public_key_text(value))); }
  void write(ClusterIndex value, ClusterRule) { end_value(yaml_text(pairing_.clusters[value.value].name)); }
  void write(Apply, ApplyRule) { end_value("mirror"); }
  void write(const FaultBudget& value, FaultsRule) { write_braces(value); }

  void write(const std::vector<std::string>& value, PrefixesRule) {
    std::string list;
    for (const std::string& prefix : value) {
      list += (list.empty() ? "" : ", ") + yaml_text(prefix);
    }
    // Only the absence of the list says that every key passes; there is no other way to write it.
    value.empty() ? remove_key() : end_value("[" + list + "]");
  }

  template <class Settings>
  void write(const Settings& value, NestedRule rule) {
    if (rule.one_line) {
      write_braces(value);
      return;
    }
    out_ += '\n';
    write_indented(value, 2);
  }

  template <class Settings>
  void write(const std::vector<Settings>& value, ListRule) {
    if (value.empty()) {
      end_value("[]");
      return;
    }
    out_ += '\n';
    for (const Settings& item : value) {
      out_ += std::string(indent_ + 2, ' ') + "- ";
      after_dash_ = true;
      write_indented(item, 4);
    }
  }

  template <class Settings>
  void write(const std::vector<Settings>& value, NamedRule) {
    out_ += '\n';
    for (const Settings& item : value) {
      out_ += fmt::format("{}{}:\n", std::string(indent_ + 2, ' '), item.name);
      write_indented(item, 4);
    }
  }

  template <class Settings>
  void write_indented(const Settings& value, std::size_t by) {
    indent_ += by;
    visit_fields(*this, value);
    indent_ -= by;
  }

  template <class Settings>
  void write_braces(const Settings& value) {
    out_ += " {";
    in_braces_ = true;
    visit_fields(*this, value);
    in_braces_ = false;
    out_ += "}\n";
  }

  // Takes back the key that begin_field and the caller have just written.
  void remove_key() { out_.resize(out_.rfind('\n') + 1); }

  const Pairing& pairing_;
  std::string out_;
  std::size_t indent_ = 0;
  bool after_dash_ = false;
  bool in_braces_ = false;
  bool has_engine_ = false;  // the cluster whose fields are written
};

}  // namespace

std::string print_pairing(const Pairing& pairing) { return Printer(pairing).print(); }

}  // namespace mallard::config
