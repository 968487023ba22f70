#include "cli/kv/kv_txn_words.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "rsm/machine/kv_limits.h"

namespace mallard::cli {
namespace {

std::string text(ByteView bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text.push_back(static_cast<char>(byte));
  }
  return text;
}

std::string refusal_of(const KvTxnWords& words) {
  const auto request = KvTxnRequest::of(words);
  return request ? "" : request.error();
}

TEST(KvTxnWords, become_one_command_whose_keys_rise) {
  const auto request = KvTxnRequest::of({.equal = {"a=1", "b=x=y"},
                                         .equal_number = {"n=258"},
                                         .absent = {"lock"},
                                         .present = {"door"},
                                         .puts = {"z=last", "empty="},
                                         .deletes = {"m"},
                                         .increments = {"turns", "sum=7"}});
  ASSERT_TRUE(request.has_value()) << request.error();
  const auto bytes = request->encode(rsm::SessionTag{.session = 4, .sequence = 1});
  const auto command = rsm::decode_command(bytes);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->session->session, 4U);
  ByteReader guards(command->txn.guards);
  std::vector<std::string> compared;
  for (int i = 0; i < command->txn.guard_count; ++i) {
    const rsm::KvGuard guard = rsm::next_guard(guards);
    compared.push_back(std::to_string(static_cast<int>(guard.condition)) + text(guard.key) + "=" +
                       text(guard.value));
  }
  const std::string number("\2\1\0\0\0\0\0\0", 8);
  EXPECT_EQ(compared, (std::vector<std::string>{"3a=1", "3b=x=y", "3n=" + number, "1lock=", "2door="}));
  EXPECT_EQ(request->conditions(), (std::vector<std::string>{"--if a=1", "--if b=x=y", "--if-number n=258",
                                                             "--if-absent lock", "--if-present door"}));
  ByteReader writes(command->txn.writes);
  std::vector<std::string> written;
  for (int i = 0; i < command->txn.write_count; ++i) {
    const rsm::KvWrite write = rsm::next_write(writes);
    written.push_back(std::to_string(static_cast<int>(write.operation)) + text(write.key) + "=" +
                      text(write.value) + std::to_string(write.amount));
  }
  EXPECT_EQ(written, (std::vector<std::string>{"3empty=0", "4m=0", "5sum=7", "5turns=1", "3z=last0"}));
  EXPECT_EQ(request->counters(), (std::vector<std::string>{"sum", "turns"}));
}

TEST(KvTxnWords, that_make_no_sense_are_named) {
  EXPECT_EQ(refusal_of({.equal = {"a"}}), "--if a: say --if KEY=VALUE");
  EXPECT_EQ(refusal_of({.equal_number = {"a=many"}}), "--if-number a=many: say --if-number KEY=N");
  EXPECT_EQ(refusal_of({.equal_number = {"a=18446744073709551616"}}),
            "--if-number a=18446744073709551616: say --if-number KEY=N");
  EXPECT_EQ(refusal_of({.puts = {"a"}}), "--put a: say --put KEY=VALUE");
  EXPECT_EQ(refusal_of({.increments = {"a=-1"}}), "--increment a=-1: say --increment KEY or KEY=N");
  EXPECT_NE(refusal_of({.puts = {"a=1"}, .increments = {"a"}}).find("twice"), std::string::npos);
  EXPECT_NE(refusal_of({}).find("nothing"), std::string::npos);
}

TEST(KvTxnWords, beyond_the_limits_are_refused_before_anybody_is_asked) {
  EXPECT_NE(refusal_of({.puts = {"=value"}}), "") << "a key of no bytes";
  EXPECT_NE(refusal_of({.absent = {std::string(rsm::key_bytes_max + 1, 'k')}}), "");
  KvTxnWords many;
  for (std::size_t i = 0; i < rsm::txn_writes_max; ++i) {
    many.deletes.push_back(std::to_string(i));
    many.present.push_back(std::to_string(i));
  }
  EXPECT_EQ(refusal_of(many), "");
  many.deletes.emplace_back("one more");
  EXPECT_NE(refusal_of(many), "");
  many.deletes.pop_back();
  many.present.emplace_back("one more");
  EXPECT_NE(refusal_of(many), "");
  const std::string half(rsm::txn_bytes_max / 2, 'v');
  EXPECT_NE(refusal_of({.puts = {"a=" + half, "b=" + half}}), "");
}

}  // namespace
}  // namespace mallard::cli
