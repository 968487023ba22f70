#include "bridge/attach/file/checked_entries.h"

#include <cstring>

#include "config/base/invariant.h"

namespace mallard::bridge::file {

CheckedEntries::CheckedEntries()
    : bytes_(std::make_unique_for_overwrite<std::byte[]>(bytes_max)), entries_(entries_max) {}

void CheckedEntries::add(ByteView payload, const RecordPosition& after) {
  MALLARD_INVARIANT(after.number == newest_ + 1 && payload.size() <= bytes_max);
  if (payload.size() > bytes_max - write_at_) {
    forget(write_at_, bytes_max);
    write_at_ = 0;
  }
  forget(write_at_, write_at_ + payload.size());
  if (newest_ + 1 - oldest_ == entries_max) {
    ++oldest_;
  }
  std::memcpy(bytes_.get() + write_at_, payload.data(), payload.size());
  newest_ = after.number;
  entries_[newest_ % entries_max] = {ByteView(bytes_.get() + write_at_, payload.size()), after};
  write_at_ += payload.size();
}

const CheckedEntry* CheckedEntries::find(std::uint64_t number) const {
  return number >= oldest_ && number <= newest_ ? &entries_[number % entries_max] : nullptr;
}

void CheckedEntries::forget(std::size_t begin, std::size_t end) {
  while (oldest_ <= newest_ && begin_of(oldest()) >= begin && begin_of(oldest()) < end) {
    ++oldest_;
  }
}

}  // namespace mallard::bridge::file
