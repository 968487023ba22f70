#include "tests/integration/deployment/workload.h"

#include <algorithm>
#include <stdexcept>

#include "bridge/attach/file/delivered_log.h"
#include "config/base/prng.h"

namespace mallard::integration {

void fill_message(std::uint64_t number, ByteSpan message) {
  ByteWriter writer(message);
  writer.write(number);
  Prng bytes(number);
  while (message.size() - writer.used() >= 8) writer.write(bytes.next());
  while (writer.used() < message.size()) writer.write(static_cast<std::uint8_t>(bytes.next()));
}

SourceLogs::SourceLogs(const std::vector<std::filesystem::path>& directories, const std::string& cluster,
                       std::size_t message_bytes)
    : message_(message_bytes), delivered_bytes_(bridge::file::file_head_bytes) {
  for (const std::filesystem::path& directory : directories) {
    auto log = bridge::file::CommittedLogWriter::open(directory, cluster);
    if (!log) throw std::runtime_error(log.error().what);
    logs_.push_back(std::move(*log));
  }
}

void SourceLogs::commit(std::uint64_t messages, std::uint64_t per_entry) {
  const auto must = [](const auto& result) {
    if (!result) throw std::runtime_error(result.error().what);
  };
  while (messages > 0) {
    const std::uint64_t in_entry = std::min(messages, per_entry);
    for (std::uint64_t i = 0; i < in_entry; ++i) {
      fill_message(++committed_, message_);
      for (auto& log : logs_) {
        if (!log.add(message_)) throw std::runtime_error("a message does not fit its entry");
      }
    }
    for (auto& log : logs_) must(log.commit());
    messages -= in_entry;
    delivered_bytes_ += bridge::file::record_overhead_bytes + in_entry * (4 + message_.size());
  }
  for (auto& log : logs_) must(log.flush());
}

DeliveryCheck::DeliveryCheck(const std::filesystem::path& directory, const std::string& link,
                             std::size_t message_bytes)
    : log_(bridge::file::delivered_log_path(directory, link), bridge::file::LogKind::delivered, link),
      expected_(message_bytes) {}

std::uint64_t DeliveryCheck::read_on() {
  while (problem_.empty()) {
    const auto record = log_.next();
    if (!record) {
      problem_ = record.error().what;
    } else if (!*record) {
      break;
    } else {
      check(**record);
    }
  }
  return messages_;
}

void DeliveryCheck::check(const bridge::file::RecordView& record) {
  if (record.head.first != messages_ + 1) {
    problem_ = "after message " + std::to_string(messages_) + " comes " + std::to_string(record.head.first);
    return;
  }
  ByteReader reader(record.payload);
  for (std::uint16_t i = 0; i < record.head.messages; ++i) {
    const auto length = reader.read<std::uint32_t>();
    const ByteView message = reader.take(length);
    fill_message(messages_ + 1, expected_);
    if (!reader.ok() || !std::ranges::equal(message, expected_)) {
      problem_ = "message " + std::to_string(messages_ + 1) + " has other bytes than were committed";
      return;
    }
    ++messages_;
  }
  if (reader.remaining() != record.head.proof_bytes) {
    problem_ = "bytes are left over behind message " + std::to_string(messages_);
  }
}

}  // namespace mallard::integration
