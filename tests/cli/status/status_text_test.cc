#include "cli/status/status_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/status/status_pages.h"

namespace mallard::cli {
namespace {

ReplicaStatus answered(const std::string& page, std::uint16_t port) {
  Result<ProcessStatus, std::string> status = parse_status(page);
  EXPECT_TRUE(status) << status.error();
  return {status->cluster, status->id, port, status, page, status->kind};
}

ReplicaStatus silent(const std::string& cluster, std::uint64_t id) {
  return {cluster, id,
          9782,    Failure<std::string>("no answer on port 9782: connect: Connection refused"),
          "",      ProcessKind::gateway};
}

TEST(StatusText, SaysNumbersAsPeopleDo) {
  EXPECT_EQ(duration_text(0), "0.0s");
  EXPECT_EQ(duration_text(-1), "0.0s");
  EXPECT_EQ(duration_text(3.25), "3.2s");
  EXPECT_EQ(duration_text(12.9), "12s");
  EXPECT_EQ(duration_text(185), "3m05s");
  EXPECT_EQ(duration_text(7985), "2h13m");
  EXPECT_EQ(duration_text(5 * 86'400 + 3 * 3600), "5d03h");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(63'666), "63,666");
  EXPECT_EQ(count_text(1'000'000), "1,000,000");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text((1U << 20) - 1), "1.0 MiB");
  EXPECT_EQ(bytes_text(UINT64_MAX), "16777216.0 TiB");
}

TEST(StatusText, OneScreenWhenAllIsWell) {
  LocalProcesses local;
  local.replicas = {answered(source_page(), 9780), answered(destination_page(), 9781)};
  EXPECT_EQ(status_text(local),
            "GATEWAY  STATE  UP FOR  PEERS UP  ADMIN PORT\n"
            "east 0   ready   2h13m       1/1        9780\n"
            "west 0   ready     12s       0/0        9781\n"
            "\n"
            "LINK       AT      AS           STATE   SINCE  MESSAGES   LAG  BEHIND      BYTES  WAITS FOR\n"
            "east-west  east 0  source       active   3.2s    63,000  0.1s     666  128.0 KiB  -\n"
            "east-west  west 0  destination  active    11s    63,100  0.3s     500   68.4 KiB  -\n");
  EXPECT_EQ(status_exit_code(local), ExitCode::ok);
}

TEST(StatusText, TellsWhatNeedsAttentionAndWhatToDo) {
  LocalProcesses local;
  local.replicas = {answered(source_page("learning", false), 9780), silent("west", 1)};
  const std::string text = status_text(local);
  EXPECT_THAT(text, testing::HasSubstr("west 1   no answer       -         -        9782\n"));
  EXPECT_THAT(
      text, testing::EndsWith(
                "\neast 0: east-west: next: on the machines of west: mallard status\n"
                "east 0: no channel to west 0 since 1m15s: connection refused\n"
                "west 1: no answer on port 9782: connect: Connection refused; start it with `mallard gateway "
                "--cluster west --id 1 --data DIR`\n"));
  EXPECT_EQ(status_exit_code(local), ExitCode::degraded);
}

TEST(StatusText, ShowsReplicasThatMallardRuns) {
  LocalProcesses local;
  ReplicaStatus gone = silent("east", 1);
  gone.kind = ProcessKind::replica;
  local.replicas = {answered(source_page(), 9780), answered(replica_page(), 9781)};
  EXPECT_EQ(status_exit_code(local), ExitCode::ok);
  local.replicas.push_back(gone);
  const std::string text = status_text(local);
  EXPECT_THAT(
      text,
      testing::HasSubstr(
          "REPLICA  STATE      ROLE    SINCE  UP FOR  TERM  EPOCH  COMMITTED  DURABLE  APPLIED  ADMIN PORT  "
          "WAITS FOR\n"
          "east 0   leading    leader  1m01s   1m40s     3      1      5,002    5,001    5,000        9781  "
          "-\n"
          "east 1   no answer  -           -       -     -      -          -        -        -        9782  "
          "-\n"
          "\nLINK"));
  EXPECT_THAT(text, testing::EndsWith("replica east 1: no answer on port 9782: connect: Connection refused; "
                                      "start it with `mallard replica --cluster east --id 1 --data DIR`\n"));
  EXPECT_EQ(status_exit_code(local), ExitCode::degraded);
  local.replicas.back() = answered(replica_page("electing"), 9782);
  EXPECT_THAT(status_text(local),
              testing::AllOf(testing::HasSubstr("2 of the 3 replicas to agree on a leader\n"),
                             testing::EndsWith("replica east 0: not ready: it knows of no leader\n")));
  EXPECT_EQ(status_exit_code(local), ExitCode::degraded);
  local.replicas.back() = answered(replica_page("following"), 9782);
  EXPECT_EQ(status_exit_code(local), ExitCode::ok);
  local.replicas.back().answer->engine.last_error = "the snapshot is of another format";
  EXPECT_THAT(status_text(local),
              testing::EndsWith("replica east 0: last error: the snapshot is of another format\n"));
  EXPECT_EQ(status_exit_code(local), ExitCode::degraded);
}

TEST(StatusText, EachDefectDegrades) {
  const auto code_of = [](const std::vector<ReplicaStatus>& replicas) {
    return status_exit_code({replicas, 0});
  };
  const ReplicaStatus good = answered(source_page(), 9780);
  EXPECT_EQ(code_of({good}), ExitCode::ok);
  EXPECT_EQ(code_of({good, silent("west", 1)}), ExitCode::degraded);
  EXPECT_EQ(code_of({answered(source_page("learning"), 1)}), ExitCode::degraded);
  EXPECT_EQ(code_of({answered(source_page("active", false), 1)}), ExitCode::degraded);
  ReplicaStatus unready = good;
  unready.answer->is_ready = false;
  EXPECT_EQ(code_of({unready}), ExitCode::degraded);
  EXPECT_EQ(code_of({silent("west", 1)}), ExitCode::not_found);
  EXPECT_EQ(code_of({}), ExitCode::not_found);
}

TEST(StatusText, LatenciesAreShort) {
  EXPECT_EQ(latency_text(0), "-");
  EXPECT_EQ(latency_text(0.05), "0.05ms");
  EXPECT_EQ(latency_text(500), "500ms");
  EXPECT_EQ(latency_text(60'000), "60s");
}

TEST(StatusText, AScreenIsOverwrittenLineByLine) {
  EXPECT_EQ(screen_text("one\ntwo\n", 3), "\033[H\033[?7lone\033[K\ntwo\033[K\n\033[J\033[?7h");
  EXPECT_EQ(screen_text("", 24), "\033[H\033[?7l\033[J\033[?7h");
}

TEST(StatusText, AScreenTellsWhatItHasNoRoomFor) {
  const std::string screen = screen_text("1\n2\n3\n4\n5\n", 4);
  EXPECT_EQ(screen, "\033[H\033[?7l1\033[K\n2\033[K\n... 3 more lines\033[K\n\033[J\033[?7h");
}

TEST(StatusText, LagIsTheWorstThatAnyGatewaySees) {
  LocalProcesses local;
  local.replicas = {answered(source_page(), 9780), answered(destination_page(), 9781), silent("west", 1)};
  local.replicas.push_back(answered(destination_page(), 9783));
  local.replicas.back().answer->links[0].done_message = 60'000;
  EXPECT_EQ(lag_text(link_lags(local)),
            "LINK       COMMITTED  QUACKED  APPLIED   LAG  BEHIND      BYTES  QUACK P99  APPLY P99\n"
            "east-west     63,666   63,000   60,000  0.3s     666  128.0 KiB       25ms       2.5s\n");
}

}  // namespace
}  // namespace mallard::cli
