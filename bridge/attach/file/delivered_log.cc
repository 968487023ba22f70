#include "bridge/attach/file/delivered_log.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "config/base/limits.h"

namespace mallard::bridge::file {

std::filesystem::path delivered_log_path(const std::filesystem::path& directory, std::string_view link) {
  return directory / fmt::format("delivered-{}.log", link);
}

std::filesystem::path opened_mark_path(const std::filesystem::path& directory, std::string_view link) {
  return directory / fmt::format("opened-{}", link);
}

DeliveredLog::DeliveredLog(std::filesystem::path path, std::string_view name, LinkIndex link)
    : path_(std::move(path)),
      name_(name),
      link_(link),
      seed_(seed_of(LogKind::delivered, name)),
      record_(record_overhead_bytes + batch_bytes_max + proof_bytes_max) {}

Result<std::unique_ptr<DeliveredLog>, StorageProblem> DeliveredLog::open(
    const std::filesystem::path& directory, std::string_view name, LinkIndex link, const WriteCalls& calls) {
  std::unique_ptr<DeliveredLog> log(new DeliveredLog(delivered_log_path(directory, name), name, link));
  const std::filesystem::path mark = opened_mark_path(directory, name);
  std::error_code ignored;
  const bool opened_before = std::filesystem::exists(mark, ignored);
  const bool has_head = std::filesystem::exists(log->path_, ignored) &&
                        std::filesystem::file_size(log->path_, ignored) >= file_head_bytes;
  log->found_.storage_lost = opened_before && !has_head;
  if (const auto read = log->read_all(); !read) {
    return Failure<StorageProblem>(read.error());
  }
  auto writer = RecordWriter::open(log->path_, LogKind::delivered, name, log->submitted_, calls);
  if (!writer) {
    return Failure<StorageProblem>(writer.error());
  }
  log->writer_ = std::move(*writer);
  auto reading = open_file(log->path_, O_RDONLY);
  if (!reading) {
    return Failure<StorageProblem>(reading.error());
  }
  log->reading_ = std::move(*reading);
  if (const auto marked = log->set_mark(mark); !marked) {
    return Failure<StorageProblem>(marked.error());
  }
  return log;
}

Result<void, StorageProblem> DeliveredLog::read_all() {
  RecordReader reader(path_, LogKind::delivered, name_);
  for (;;) {
    const std::uint64_t offset = reader.position().offset;
    const auto record = reader.next();
    if (!record) {
      return Failure<StorageProblem>(record.error());
    }
    if (!*record) {
      break;
    }
    note((*record)->head.number, offset);
  }
  submitted_ = reader.position();
  found_.batch = BatchNumber(submitted_.number);
  found_.message = MessageNumber(submitted_.next_message - 1);
  durable_ = submitted_.number;
  return {};
}

Result<void, StorageProblem> DeliveredLog::set_mark(const std::filesystem::path& mark) {
  if (std::error_code ignored; std::filesystem::exists(mark, ignored)) {
    return {};
  }
  if (const auto made = open_file(mark, O_WRONLY | O_CREAT); !made) {
    return Failure<StorageProblem>(made.error());
  }
  return sync_directory(mark.parent_path());
}

bool DeliveredLog::submit(const Apply& order, ByteView payload, GroupCommit& commits) {
  const BatchHeader& header = order.header;
  if (header.batch.value != submitted_.number + 1 || header.first.value != submitted_.next_message) {
    return true;
  }
  const AppendOrder append{.writer = &*writer_,
                           .link = link_,
                           .header = header,
                           .proof_bytes = order.proof_bytes,
                           .payload = payload};
  if (!commits.submit(append)) {
    return false;
  }
  note(header.batch.value, submitted_.offset);
  submitted_.offset += record_overhead_bytes + payload.size();
  submitted_.number = header.batch.value;
  submitted_.next_message = header.first.value + header.count;
  return true;
}

Result<std::optional<StoredBatch>, StorageProblem> DeliveredLog::load(BatchNumber batch, PayloadPool& pool) {
  const std::uint64_t* place = index_.at_or_before(batch.value);
  if (batch.value > durable_ || place == nullptr) {
    return std::nullopt;
  }
  const auto damaged = [&](std::uint64_t offset) {
    return Failure<StorageProblem>(StorageProblem{
        .fault = StorageFault::damaged,
        .what = fmt::format("{}: has a damaged record (at offset {})", path_.string(), offset),
        .advice = "keep the file for inspection, move it away and start again to fetch everything again"});
  };
  for (std::uint64_t offset = *place;;) {
    const auto got = read_at(reading_, path_, offset, ByteSpan(record_).first(record_head_bytes));
    if (!got) {
      return Failure<StorageProblem>(got.error());
    }
    const auto head = read_record_head(ByteView(record_).first(*got), seed_, offset);
    if (!head || head->number > batch.value || head->payload_bytes > batch_bytes_max + proof_bytes_max) {
      return damaged(offset);
    }
    const std::size_t record_bytes = record_overhead_bytes + head->payload_bytes;
    if (head->number < batch.value) {
      offset += record_bytes;
      continue;
    }
    const auto whole = read_at(reading_, path_, offset, ByteSpan(record_).first(record_bytes));
    if (!whole) {
      return Failure<StorageProblem>(whole.error());
    }
    const ByteView record = ByteView(record_).first(record_bytes);
    const RecordHash hash = record_hash(record.first(record_bytes - record_hash_bytes));
    if (*whole < record_bytes ||
        std::memcmp(hash.data(), record.last(record_hash_bytes).data(), hash.size()) != 0) {
      return damaged(offset);
    }
    const std::optional<PayloadRef> slot = pool.allocate(head->payload_bytes);
    if (!slot) {
      return std::nullopt;
    }
    ByteWriter(pool.span(*slot)).write_bytes(record.subspan(record_head_bytes, head->payload_bytes));
    return StoredBatch{
        .header = {.batch = batch, .first = MessageNumber(head->first), .count = head->messages},
        .payload = *slot,
        .proof_bytes = head->proof_bytes};
  }
}

}  // namespace mallard::bridge::file
