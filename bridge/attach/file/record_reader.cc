#include "bridge/attach/file/record_reader.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace mallard::bridge::file {
namespace {

constexpr std::size_t sector_bytes = 512;

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// Whether some sector's part of these bytes was left unwritten. A part of fewer than 8 bytes proves nothing.
bool has_unwritten_sector(ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const std::size_t part = std::min<std::size_t>(sector_bytes - offset % sector_bytes, bytes.size());
    if (part >= 8 && all_zero(bytes.first(part))) {
      return true;
    }
    bytes = bytes.subspan(part);
    offset += part;
  }
  return false;
}

}  // namespace

RecordReader::RecordReader(std::filesystem::path path, LogKind kind, std::string_view name)
    : path_(std::move(path)),
      kind_(kind),
      seed_(seed_of(kind, name)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_bytes)) {
  position_.previous = seed_;
}

void RecordReader::seek(const RecordPosition& position) {
  position_ = position;
  buffered_ = 0;
}

RecordReader::Outcome RecordReader::next() {
  const auto opened = open();
  if (!opened) {
    return Failure<StorageProblem>(opened.error());
  }
  if (!*opened) {
    return std::nullopt;
  }
  auto bytes = fetch(record_head_bytes);
  if (!bytes) {
    return Failure<StorageProblem>(bytes.error());
  }
  if (bytes->size() < record_head_bytes) {
    return std::nullopt;
  }
  const std::optional<RecordHead> head =
      read_record_head(bytes->first(record_head_bytes), seed_, position_.offset);
  if (!head) {
    return judge(bytes->first(record_head_bytes), "has a damaged record head");
  }
  const std::size_t record_bytes = record_overhead_bytes + head->payload_bytes;
  bytes = fetch(record_bytes);
  if (!bytes) {
    return Failure<StorageProblem>(bytes.error());
  }
  if (bytes->size() < record_bytes) {
    return std::nullopt;
  }
  const ByteView record = bytes->first(record_bytes);
  RecordView view{.head = *head, .payload = record.subspan(record_head_bytes, head->payload_bytes)};
  view.hash = record_hash(record.first(record_bytes - record_hash_bytes));
  if (std::memcmp(view.hash.data(), record.last(record_hash_bytes).data(), record_hash_bytes) != 0) {
    return judge(record, "has a damaged record");
  }
  if (head->previous != position_.previous || head->number != position_.number + 1 ||
      head->first != position_.next_message) {
    return Failure<StorageProblem>(damaged("has a record that does not continue the one before it"));
  }
  position_ = {.offset = position_.offset + record_bytes,
               .number = head->number,
               .next_message = head->first + head->messages,
               .previous = view.hash};
  return view;
}

// False while the file, or its head, is not there yet.
Result<bool, StorageProblem> RecordReader::open() {
  if (file_.is_open()) {
    return true;
  }
  if (std::error_code ignored; !std::filesystem::exists(path_, ignored)) {
    return false;
  }
  auto opened = open_file(path_, O_RDONLY);
  if (!opened) {
    return Failure<StorageProblem>(opened.error());
  }
  std::array<std::byte, file_head_bytes> head{};
  const auto got = read_at(*opened, path_, 0, head);
  if (!got) {
    return Failure<StorageProblem>(got.error());
  }
  if (*got < head.size() || all_zero(head)) {
    return false;
  }
  if (const char* what = check_file_head(kind_, seed_, head)) {
    return Failure<StorageProblem>(damaged(what));
  }
  file_ = std::move(*opened);
  return true;
}

Result<ByteView, StorageProblem> RecordReader::fetch(std::size_t count) {
  const bool inside = position_.offset >= buffer_offset_ && position_.offset <= buffer_offset_ + buffered_;
  const std::size_t skip = inside ? static_cast<std::size_t>(position_.offset - buffer_offset_) : 0;
  if (!inside || buffered_ - skip < count) {
    buffered_ = inside ? buffered_ - skip : 0;
    if (buffered_ > 0 && skip > 0) {
      std::memmove(buffer_.get(), buffer_.get() + skip, buffered_);
    }
    buffer_offset_ = position_.offset;
    const std::size_t wanted = std::max(count, read_ahead_bytes) - buffered_;
    const auto got = read_at(file_, path_, buffer_offset_ + buffered_, buffer().subspan(buffered_, wanted));
    if (!got) {
      return Failure<StorageProblem>(got.error());
    }
    buffered_ += *got;
    return ByteView(buffer()).first(buffered_);
  }
  return ByteView(buffer()).subspan(skip, buffered_ - skip);
}

// `record` is full and wrong: torn or damaged? Also forgets what was buffered, since the writer may yet
// repair it.
RecordReader::Outcome RecordReader::judge(ByteView record, const char* what) {
  const bool unwritten = has_unwritten_sector(record, position_.offset);
  buffered_ = 0;
  if (!unwritten) {
    return Failure<StorageProblem>(damaged(what));
  }
  const auto later = durable_beyond(position_.offset);
  if (!later) {
    return Failure<StorageProblem>(later.error());
  }
  if (*later) {
    return Failure<StorageProblem>(damaged(what));
  }
  return std::nullopt;
}

// Whether a record further on was written when the file was durable beyond `offset`.
Result<bool, StorageProblem> RecordReader::durable_beyond(std::uint64_t offset) {
  std::uint64_t at = offset + 1;
  for (;;) {
    const auto got = read_at(file_, path_, at, buffer().first(read_ahead_bytes));
    if (!got) {
      return Failure<StorageProblem>(got.error());
    }
    for (std::size_t i = 0; i + record_head_bytes <= *got; ++i) {
      const auto head = read_record_head(ByteView(buffer()).subspan(i, record_head_bytes), seed_, at + i);
      if (head && head->synced > offset) {
        return true;
      }
    }
    if (*got < read_ahead_bytes) {
      return false;
    }
    at += read_ahead_bytes - record_head_bytes + 1;
  }
}

StorageProblem RecordReader::damaged(const char* what) const {
  return {.fault = StorageFault::damaged,
          .what = fmt::format("{}: {} (record {} at offset {})", path_.string(), what, position_.number + 1,
                              position_.offset),
          .advice =
              "keep the file for inspection and restore it from its RSM, or move it away to fetch everything "
              "again"};
}

}  // namespace mallard::bridge::file
