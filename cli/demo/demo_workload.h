// What the demo writes: real records, then updates, deletes and increments, as the messages of a committed
// log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/result.h"

namespace mallard::cli {

// The loader's own record of everything that it will have committed, in order. Every message has a key; its
// value starts with 'P' (put, the value follows), 'D' (delete) or 'I' (increment, u64 to add). Messages are
// cut into entries of the source's log: small enough for short delays, large enough to be worth a frame.
// Within an entry keys rise, so that it can be one transaction.
class DemoWorkload {
 public:
  struct Counts {
    std::uint64_t values = 0;
    std::uint64_t updates = 0;
    std::uint64_t deletes = 0;
    std::uint64_t increments = 0;
    [[nodiscard]] std::uint64_t total() const { return values + updates + deletes + increments; }
  };

  // A put per record of `text` (records are separated by empty lines; a record's key is what follows
  // "Package: ", else its number), then 4,000 updates, 1,000 deletes and 2,000 increments of keys among them,
  // always the same ones; fewer where there are fewer records. The error is a sentence.
  [[nodiscard]] static Result<DemoWorkload, std::string> from_records(std::string_view text);

  // Appends `count` updates more.
  void add_updates(std::uint64_t count);

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] ByteView message(std::size_t index) const;

  // What a message does. Views into the workload.
  struct Write {
    std::string_view key;
    char kind = 'P';
    std::string_view value;  // 'I': 8 bytes
  };
  [[nodiscard]] Write write(std::size_t index) const;

  [[nodiscard]] std::size_t entries() const { return entry_ends_.size(); }
  // How many messages there are up to the end of this entry, from 0.
  [[nodiscard]] std::size_t entry_end(std::size_t entry) const { return entry_ends_[entry]; }

  // Every key with its value when all of it was executed. Views into the workload, and into `sums`.
  [[nodiscard]] std::map<std::string_view, std::string_view> final_state(
      std::map<std::string_view, std::string>& sums) const;

 private:
  struct Pending {
    std::string key;
    std::string message;
  };
  void put_updates(std::uint64_t count);
  void add(std::string_view key, char kind, std::string_view value);
  void close_entry();

  std::string bytes_;              // all messages, one after the other
  std::vector<std::size_t> ends_;  // where each message ends
  std::vector<std::size_t> entry_ends_;
  std::vector<Pending> pending_;  // of the entry that is open
  std::size_t pending_bytes_ = 0;
  std::vector<std::string> keys_;
  Counts counts_;
};

// Where records come from, and the records. Empty `file`: this machine's Debian package index, else its list
// of installed packages. The error is a sentence.
struct DemoInput {
  std::string name;
  std::string text;
};
[[nodiscard]] Result<DemoInput, std::string> read_demo_input(const std::string& file);

}  // namespace mallard::cli
