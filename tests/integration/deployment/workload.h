// Messages that can be told apart, written to a source cluster's logs and looked for in what the
// destination's replicas were delivered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bridge/attach/file/committed_log_writer.h"
#include "bridge/attach/file/record_reader.h"
#include "config/base/bytes.h"

namespace mallard::integration {

// Message `number` (1, 2, 3 ...) of a workload: its number and bytes that follow from it. At least 8 bytes.
void fill_message(std::uint64_t number, ByteSpan message);

// The committed log of every replica of one source cluster: all get the same entries.
class SourceLogs {
 public:
  // The directories exist. Throws std::runtime_error when the logs cannot be written.
  SourceLogs(const std::vector<std::filesystem::path>& directories, const std::string& cluster,
             std::size_t message_bytes);

  // Commits the next `messages` messages in entries of at most `per_entry`, visible to readers at the end.
  void commit(std::uint64_t messages, std::uint64_t per_entry);

  [[nodiscard]] std::uint64_t messages() const { return committed_; }
  // How long a log is to which all of this was delivered, where each entry is one batch.
  [[nodiscard]] std::uint64_t delivered_bytes() const { return delivered_bytes_; }

 private:
  std::vector<bridge::file::CommittedLogWriter> logs_;
  std::vector<std::byte> message_;
  std::uint64_t committed_ = 0;
  std::uint64_t delivered_bytes_;
};

// Follows one replica's delivered log and checks that it holds messages 1, 2, 3 ... of the workload: each
// once, in order, with the right bytes.
class DeliveryCheck {
 public:
  DeliveryCheck(const std::filesystem::path& directory, const std::string& link, std::size_t message_bytes);

  // Reads what is new; returns how many messages were right so far.
  std::uint64_t read_on();
  // The first thing that was wrong; empty: nothing yet. After it, nothing more is read.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void check(const bridge::file::RecordView& record);

  bridge::file::RecordReader log_;
  std::vector<std::byte> expected_;
  std::uint64_t messages_ = 0;
  std::string problem_;
};

}  // namespace mallard::integration
