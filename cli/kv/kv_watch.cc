#include "cli/kv/kv_watch.h"

#include <chrono>
#include <cstdio>
#include <span>
#include <thread>

#include <fmt/format.h>

#include "cli/kv/kv_report.h"
#include "cli/kv/kv_text.h"
#include "config/value_text.h"
#include "rsm/machine/kv_command.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

using transport::EventLoop;
using transport::door::ReplyStatus;

// Small enough for a replica to answer while it has much else to do.
constexpr std::uint32_t page_bytes = 60U << 10;
// Between two questions where nothing has happened.
constexpr std::chrono::milliseconds pause(50);
constexpr Duration patience_elsewhere = Duration::seconds(1);

}  // namespace

ExitCode KvWatch::run() {
  for (;;) {
    if (settings_.local) {
      client_.ask_locally(0, question());
    } else {
      client_.ask(question(), Repeat::always);
    }
    if (!client_.turn(EventLoop::now() + settings_.patience)) {
      return report_silence();
    }
    const KvAnswer answer = *client_.answer();
    const auto reply = answer.status == ReplyStatus::done ? rsm::decode_reply(answer.bytes) : std::nullopt;
    if (reply && reply->status == rsm::KvStatus::history_gone) {
      if (settings_.local || !look_elsewhere()) {
        return report_cut(*reply);
      }
      continue;
    }
    if (!reply || reply->status != rsm::KvStatus::ok) {
      return report_answer({.operation = rsm::KvOperation::changes,
                            .keys = config::shown(settings_.prefix),
                            .configuration = settings_.configuration},
                           answer);
    }
    if (!print(*reply)) {
      return ExitCode::failed;
    }
    if (from_ > reply->index.value) {
      std::this_thread::sleep_for(pause);
    }
  }
}

std::vector<std::byte> KvWatch::question() const {
  rsm::KvCommand command{.operation = rsm::KvOperation::changes};
  command.changes = {
      .from = from_, .prefix = std::as_bytes(std::span(settings_.prefix)), .bytes_max = page_bytes};
  return rsm::encode_command(command);
}

bool KvWatch::print(const rsm::KvReply& page) {
  rsm::KvChangeList changes(page.body);
  while (const auto change = changes.next()) {
    const std::string key = readable(change->entry.key);
    if (change->operation == rsm::KvOperation::put) {
      fmt::print("{}\tput\t{}\t{}\n", change->index.value, key, readable(change->entry.value));
    } else {
      fmt::print("{}\tdelete\t{}\n", change->index.value, key);
    }
  }
  if (from_ == 0) {
    fmt::print(stderr, "mallard kv: watching from index {} on\n", changes.go_on_from());
  }
  from_ = changes.go_on_from();
  return changes.ok() && std::fflush(stdout) == 0;
}

bool KvWatch::look_elsewhere() {
  for (std::size_t place = 0; place < client_.places(); ++place) {
    client_.ask_locally(place, question());
    if (!client_.turn(EventLoop::now() + patience_elsewhere) ||
        client_.answer()->status != ReplyStatus::done) {
      continue;
    }
    const auto reply = rsm::decode_reply(client_.answer()->bytes);
    if (reply && reply->status == rsm::KvStatus::ok && reply->index.value >= from_) {
      return print(*reply);
    }
  }
  return false;
}

ExitCode KvWatch::report_silence() const {
  const std::string failure = client_.failure();
  fmt::print(stderr, "mallard kv: {}; {}\n", failure.empty() ? "no replica answers" : failure,
             from_ == 0 ? "nothing was watched" : fmt::format("go on with --from {}", from_));
  return ExitCode::failed;
}

ExitCode KvWatch::report_cut(const rsm::KvReply& reply) const {
  fmt::print(
      stderr,
      "mallard kv: cut off at index {}: what happened from there up to {} is known no more; read the keys "
      "again with `mallard kv scan`, then go on with --from {}\n",
      from_, ByteReader(reply.body).read<std::uint64_t>() - 1, reply.index.value + 1);
  return ExitCode::refused;
}

}  // namespace mallard::cli
