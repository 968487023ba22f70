#include "cli/kv/kv_write.h"

#include "rsm/machine/kv_reply.h"

namespace mallard::cli {
namespace {

using transport::door::ReplyStatus;

// A session has one write.
constexpr std::uint64_t only_write = 1;

std::optional<rsm::KvReply> reply_in(const KvAnswer& answer) {
  return answer.status == ReplyStatus::done ? rsm::decode_reply(answer.bytes) : std::nullopt;
}

// The number of a new session, or what became of the attempt to open one. Where the answer is lost another
// one is opened, and the first is left to be evicted: nothing was written in it.
Result<std::uint64_t, WriteReport> open_session(KvClient& client, Instant until) {
  client.ask(rsm::encode_command({.operation = rsm::KvOperation::session_open}), Repeat::always);
  if (!client.turn(until)) {
    return Failure<WriteReport>({.outcome = WriteOutcome::too_late, .answer = {}});
  }
  const auto reply = reply_in(*client.answer());
  const std::uint64_t session = reply ? ByteReader(reply->body).read<std::uint64_t>() : 0;
  if (!reply || reply->status != rsm::KvStatus::ok || session == 0) {
    return Failure<WriteReport>({.outcome = WriteOutcome::turned_away, .answer = client.answer()});
  }
  return session;
}

// Else the session is another write's, who may still want its answer.
bool is_of_this_write(rsm::KvStatus status) {
  return status != rsm::KvStatus::session_not_owned && status != rsm::KvStatus::request_changed &&
         status != rsm::KvStatus::request_outdated;
}

}  // namespace

WriteReport write_once(KvClient& client, const TaggedCommand& command, std::uint64_t session, Instant until) {
  const bool was_asked_before = session != 0;
  if (!was_asked_before) {
    const auto opened = open_session(client, until);
    if (!opened) {
      return opened.error();
    }
    session = *opened;
  }
  client.ask(command({.session = session, .sequence = only_write}), Repeat::always);
  const bool is_answered = client.turn(until);
  const bool in_doubt = was_asked_before || client.in_doubt();
  WriteReport report{.session = session, .answer = client.answer()};
  if (!is_answered) {
    report.outcome = in_doubt ? WriteOutcome::unknown : WriteOutcome::too_late;
    return report;
  }
  const auto reply = reply_in(*report.answer);
  const bool is_gone = reply && reply->status == rsm::KvStatus::session_gone;
  if (reply && !is_gone) {
    report.outcome = WriteOutcome::answered;
    if (is_of_this_write(reply->status)) {
      client.leave(rsm::encode_command({.operation = rsm::KvOperation::session_close, .number = session}));
    }
    return report;
  }
  const bool is_unreadable = !reply && report.answer->status == ReplyStatus::done;
  report.outcome = in_doubt || is_unreadable ? WriteOutcome::unknown : WriteOutcome::turned_away;
  report.session = is_gone ? 0 : session;
  return report;
}

}  // namespace mallard::cli
