#include "rsm/machine/kv_reader.h"

#include <algorithm>
#include <array>

#include "rsm/machine/kv_limits.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::rsm {

std::size_t KvReader::answer(const KvVersion& version, const KvCommand& command, ByteSpan reply) {
  if (command.operation == KvOperation::scan) {
    return scan(version, command.scan, reply);
  }
  const UnitIndex leaf = forest_.find(version.user, command.write.key);
  const std::size_t head =
      ReplyWriter(reply, version.index).finish(leaf == 0 ? KvStatus::not_found : KvStatus::ok);
  if (leaf == 0) {
    return head;
  }
  forest_.copy_value(leaf, 0, reply.subspan(head, forest_.value_bytes(leaf)));
  return head + forest_.value_bytes(leaf);
}

std::size_t KvReader::scan(const KvVersion& version, const KvScan& scan, ByteSpan reply) {
  const std::size_t bytes_max = std::min<std::size_t>(scan.bytes_max, scan_bytes_max);
  const bool goes_on = std::ranges::lexicographical_compare(scan.prefix, scan.after) ||
                       (!scan.after.empty() && std::ranges::equal(scan.prefix, scan.after));
  const std::size_t head = ReplyWriter(reply, version.index).finish(KvStatus::ok);
  std::size_t used = head + 5;
  std::array<std::byte, key_bytes_max> key_bytes{};
  std::uint32_t entries = 0;
  bool more = false;
  for (walk_.seek(version.user, goes_on ? scan.after : scan.prefix); walk_.leaf() != 0; walk_.next()) {
    const UnitIndex leaf = walk_.leaf();
    const ByteView key = forest_.copy_key(leaf, key_bytes);
    if (goes_on && std::ranges::equal(key, scan.after)) {
      continue;
    }
    if (key.size() < scan.prefix.size() || !std::ranges::equal(key.first(scan.prefix.size()), scan.prefix)) {
      break;
    }
    const std::size_t value_bytes = forest_.value_bytes(leaf);
    const std::size_t bytes = scan_entry_head_bytes + key.size() + value_bytes;
    if (entries == scan.entries_max || (entries > 0 && used - head - 5 + bytes > bytes_max)) {
      more = true;
      break;
    }
    ByteWriter out(reply.subspan(used, bytes));
    out.write(static_cast<std::uint16_t>(key.size()));
    out.write(static_cast<std::uint32_t>(value_bytes));
    out.write_bytes(key);
    forest_.copy_value(leaf, 0, reply.subspan(used + out.used(), value_bytes));
    used += bytes;
    ++entries;
  }
  ByteWriter counts(reply.subspan(head));
  counts.write(static_cast<std::uint8_t>(more ? 1 : 0));
  counts.write(entries);
  return used;
}

}  // namespace mallard::rsm
