#include "cli/kv/kv_report.h"

#include <cstdio>
#include <span>

#include <fmt/format.h>

#include "cli/kv/kv_text.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;

ExitCode print_scan(ByteView body) {
  rsm::KvEntries entries(body);
  while (const auto entry = entries.next()) {
    fmt::print("{}\t{}\n", readable(entry->key), readable(entry->value));
  }
  if (entries.more()) {
    fmt::print(stderr, "mallard kv: there is more; scan longer prefixes\n");
  }
  return ExitCode::ok;
}

void print_sums(const std::vector<std::string>& counters, ByteView body) {
  ByteReader sums(body);
  for (const std::string& key : counters) {
    fmt::print("{}\t{}\n", readable(std::as_bytes(std::span(key))), sums.read<std::uint64_t>());
  }
}

// Which condition of a transaction did not hold.
void print_condition(const KvQuestion& question, ByteView body) {
  const std::size_t position = ByteReader(body).read<std::uint16_t>();
  fmt::print(stderr, "mallard kv: not executed: {}: {}\n",
             position < question.conditions.size() ? question.conditions[position] : "",
             explanation(rsm::KvStatus::guard_failed));
}

ExitCode exit_code_of(rsm::KvStatus status) {
  switch (status) {
    case rsm::KvStatus::ok:
      return ExitCode::ok;
    case rsm::KvStatus::not_found:
      return ExitCode::not_found;
    case rsm::KvStatus::request_changed:
    case rsm::KvStatus::session_not_owned:
      return ExitCode::refused;
    default:
      return ExitCode::failed;
  }
}

ExitCode print_reply(const KvQuestion& question, ByteView bytes) {
  const auto reply = rsm::decode_reply(bytes);
  if (!reply) {
    fmt::print(stderr, "mallard kv: the replica's answer cannot be read; are both of one version?\n");
    return ExitCode::failed;
  }
  if (reply->status == rsm::KvStatus::guard_failed) {
    print_condition(question, reply->body);
    return ExitCode::refused;
  }
  if (reply->status != rsm::KvStatus::ok) {
    fmt::print(stderr, "mallard kv: {}\n", explanation(reply->status));
    return exit_code_of(reply->status);
  }
  switch (question.operation) {
    case rsm::KvOperation::get:
      fmt::print("{}\n", readable(reply->body));
      break;
    case rsm::KvOperation::increment:
      fmt::print("{}\n", ByteReader(reply->body).read<std::uint64_t>());
      break;
    case rsm::KvOperation::scan:
      return print_scan(reply->body);
    case rsm::KvOperation::txn:
      print_sums(question.counters, reply->body);
      break;
    default:
      break;
  }
  return ExitCode::ok;
}

ExitCode report_unknown(const WriteReport& report, const std::string& failure) {
  const std::string why = failure.empty() ? "no answer in time" : failure;
  if (report.session == 0) {
    fmt::print(
        stderr,
        "mallard kv: whether it was executed is not known: its session was closed or evicted; read what "
        "is there now\n");
  } else {
    fmt::print(stderr,
               "mallard kv: whether it was executed is not known: {}; to find out, say the same again with "
               "--session {}: then it is executed once at most, now or then\n",
               why, report.session);
  }
  return ExitCode::unknown;
}

}  // namespace

ExitCode report_answer(const KvQuestion& question, const KvAnswer& answer) {
  switch (answer.status) {
    case door::ReplyStatus::done:
      return print_reply(question, answer.bytes);
    case door::ReplyStatus::not_leader:
      fmt::print(stderr,
                 "mallard kv: not executed: this replica does not lead; give --data of replica {} too\n",
                 answer.leader ? answer.leader->value : 0);
      return ExitCode::refused;
    case door::ReplyStatus::forbidden:
      fmt::print(
          stderr,
          "mallard kv: not executed: {} is not under the prefixes of this client; see `clients:` of {}\n",
          question.keys, question.configuration);
      return ExitCode::refused;
    case door::ReplyStatus::unknown_outcome:
    case door::ReplyStatus::busy:
    case door::ReplyStatus::not_ready:
    case door::ReplyStatus::refused:
      break;
  }
  fmt::print(stderr, "mallard kv: not executed: the replica refused it\n");
  return ExitCode::refused;
}

ExitCode report_silence(const KvClient& client) {
  const std::string failure = client.failure();
  fmt::print(stderr, "mallard kv: not executed: {}\n",
             failure.empty() ? "no replica took it in time; try again" : failure);
  return client.is_turned_away() && client.is_key_unknown() ? ExitCode::refused : ExitCode::failed;
}

ExitCode report_write(const KvQuestion& question, const WriteReport& report, const KvClient& client) {
  switch (report.outcome) {
    case WriteOutcome::answered:
    case WriteOutcome::turned_away:
      return report_answer(question, *report.answer);
    case WriteOutcome::too_late:
      return report_silence(client);
    case WriteOutcome::unknown:
      break;
  }
  return report_unknown(report, client.failure());
}

}  // namespace mallard::cli
