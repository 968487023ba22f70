#include "cli/demo/replica_loader.h"

#include <fmt/format.h>

#include <span>

#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_reply.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

rsm::KvWrite kv_write_of(const DemoWorkload::Write& write) {
  switch (write.kind) {
    case 'D':
      return {.operation = rsm::KvOperation::erase, .key = bytes_of(write.key)};
    case 'I':
      return {.operation = rsm::KvOperation::increment,
              .key = bytes_of(write.key),
              .amount = ByteReader(bytes_of(write.value)).read<std::uint64_t>()};
    default:
      return {.operation = rsm::KvOperation::put, .key = bytes_of(write.key), .value = bytes_of(write.value)};
  }
}

}  // namespace

Result<void, std::string> ReplicaLoader::advance(Instant now, std::size_t hold_at, Instant until) {
  for (Instant at = now; at < until; at = transport::EventLoop::now()) {
    if (under_way_) {
      if (!client_.turn(until)) {
        return {};
      }
      under_way_ = false;
      if (auto taken = take_answer(); !taken) {
        return taken;
      }
    } else if (session_ == 0) {
      ask_for_session();
    } else if (is_due(at, hold_at)) {
      ask_for_entry();
    } else {
      static_cast<void>(client_.turn(until));  // doors that have gone are looked for
      return {};
    }
  }
  return {};
}

void ReplicaLoader::ask_for_session() {
  client_.ask(rsm::encode_command({.operation = rsm::KvOperation::session_open}), Repeat::always);
  under_way_ = true;
}

void ReplicaLoader::ask_for_entry() {
  std::vector<rsm::KvWrite> writes;
  for (std::size_t i = messages(); i < workload().entry_end(entries()); ++i) {
    writes.push_back(kv_write_of(workload().write(i)));
  }
  client_.ask(rsm::encode_txn({}, writes, rsm::SessionTag{.session = session_, .sequence = entries() + 1}),
              Repeat::always);
  under_way_ = true;
}

Result<void, std::string> ReplicaLoader::take_answer() {
  const KvAnswer& answer = *client_.answer();
  const auto reply = rsm::decode_reply(answer.bytes);
  if (answer.status != transport::door::ReplyStatus::done || !reply || reply->status != rsm::KvStatus::ok) {
    return Failure<std::string>(fmt::format("a write was refused: {}, {}", static_cast<int>(answer.status),
                                            reply ? static_cast<int>(reply->status) : -1));
  }
  if (session_ == 0) {
    session_ = ByteReader(reply->body).read<std::uint64_t>();
  } else {
    committed(transport::EventLoop::now());
  }
  return {};
}

}  // namespace mallard::cli
