#include "bridge/attach/file/committed_log_writer.h"

#include <limits>
#include <optional>
#include <utility>

#include "bridge/attach/file/record_reader.h"
#include "config/base/limits.h"

namespace mallard::bridge::file {
namespace {

constexpr std::size_t length_bytes = 4;

const WriteCalls& system_calls() {
  static const WriteCalls calls = WriteCalls::system();
  return calls;
}

}  // namespace

std::filesystem::path committed_log_path(const std::filesystem::path& directory) {
  return directory / "committed.log";
}

Result<CommittedLogWriter, StorageProblem> CommittedLogWriter::open(const std::filesystem::path& directory,
                                                                    std::string_view cluster) {
  const std::filesystem::path path = committed_log_path(directory);
  RecordReader reader(path, LogKind::committed, cluster);
  for (;;) {
    const auto record = reader.next();
    if (!record) {
      return Failure<StorageProblem>(record.error());
    }
    if (!*record) {
      break;
    }
  }
  auto writer = RecordWriter::open(path, LogKind::committed, cluster, reader.position(), system_calls());
  if (!writer) {
    return Failure<StorageProblem>(writer.error());
  }
  return CommittedLogWriter(std::move(*writer));
}

CommittedLogWriter::CommittedLogWriter(RecordWriter writer) : writer_(std::move(writer)) {
  entry_.reserve(record_payload_bytes_max);
}

bool CommittedLogWriter::add(ByteView message) {
  if (message.empty() || message.size() > message_bytes_max ||
      entry_.size() + length_bytes + message.size() > record_payload_bytes_max ||
      entry_messages_ == std::numeric_limits<std::uint16_t>::max()) {
    return false;
  }
  const std::size_t start = entry_.size();
  entry_.resize(start + length_bytes);
  ByteWriter(ByteSpan(entry_).subspan(start)).write(static_cast<std::uint32_t>(message.size()));
  entry_.insert(entry_.end(), message.begin(), message.end());
  ++entry_messages_;
  return true;
}

Result<void, StorageProblem> CommittedLogWriter::commit() {
  if (entry_messages_ == 0) {
    return {};
  }
  auto appended = writer_.append(entry_messages_, 0, entry_);
  entry_.clear();
  entry_messages_ = 0;
  return appended;
}

}  // namespace mallard::bridge::file
