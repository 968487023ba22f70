#include "cli/kv/kv_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace mallard::cli {
namespace {

bool is_control(std::byte byte) {
  const auto code = static_cast<unsigned>(byte);
  return (code < 0x20U && code != '\t') || code == 0x7fU;
}

}  // namespace

std::string readable(ByteView bytes) {
  std::string text;
  if (std::none_of(bytes.begin(), bytes.end(), is_control)) {
    std::transform(bytes.begin(), bytes.end(), std::back_inserter(text),
                   [](std::byte byte) { return static_cast<char>(byte); });
    return text;
  }
  if (bytes.size() == sizeof(std::uint64_t)) {
    return std::to_string(ByteReader(bytes).read<std::uint64_t>());
  }
  for (const std::byte byte : bytes) {
    if (is_control(byte) || static_cast<char>(byte) == '\\') {
      fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned>(byte));
    } else {
      text.push_back(static_cast<char>(byte));
    }
  }
  return text;
}

std::string_view explanation(rsm::KvStatus status) {
  switch (status) {
    case rsm::KvStatus::ok:
      return "done";
    case rsm::KvStatus::not_found:
      return "there is no such key";
    case rsm::KvStatus::guard_failed:
      return "this condition did not hold";
    case rsm::KvStatus::not_a_number:
      return "the value was put as text, and only what `increment` began can be incremented; delete it first";
    case rsm::KvStatus::full:
      return "the cluster's memory for keys is used up; delete some";
    case rsm::KvStatus::too_large_for_link:
      return "the key goes over a link, and the value is larger than a link carries";
    case rsm::KvStatus::malformed:
      return "a key has 1 to 1,024 bytes, and a value at most 1 MiB";
    case rsm::KvStatus::session_gone:
      return "not executed: its session was evicted before it came; say it again";
    case rsm::KvStatus::session_not_owned:
      return "not executed: this --session is another user's or client's";
    case rsm::KvStatus::request_changed:
      return "not executed: in this --session something else was said, and that was executed";
    case rsm::KvStatus::history_gone:
      return "what happened there is known no more";
    case rsm::KvStatus::not_a_read:
    case rsm::KvStatus::request_outdated:
    case rsm::KvStatus::fence_outdated:
    case rsm::KvStatus::generation_outdated:
    case rsm::KvStatus::not_next:
      break;
  }
  return "the replica takes this for another kind of request; are both of one version?";
}

}  // namespace mallard::cli
