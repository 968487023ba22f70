#include "transport/channel/tls_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tests/transport/channel/tls_pair.h"

namespace mallard::transport {
namespace {

using Progress = TlsStream::Progress;

class TlsStreamTest : public testing::Test {
 protected:
  // Everything that has come for `end`, until it would wait or is over.
  std::vector<std::byte> read_all(TlsStream& end, Progress& last) {
    std::vector<std::byte> all;
    std::array<std::byte, 20'000> room{};
    for (;;) {
      const auto transfer = end.read(room);
      last = transfer.progress;
      if (last != Progress::done) {
        return all;
      }
      all.insert(all.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(transfer.bytes));
    }
  }

  TlsPair pair_;
};

TEST_F(TlsStreamTest, proves_both_keys) {
  const PublicKey other = crypto::KeyPair::generate().public_key();
  pair_.listener_allows = {other, pair_.dialer_key.public_key(), other};
  EXPECT_EQ(pair_.shake_hands(), std::pair(Progress::done, Progress::done));
  EXPECT_EQ(pair_.dialer->proved(), 0U);
  EXPECT_EQ(pair_.listener->proved(), 1U);
}

TEST_F(TlsStreamTest, refuses_a_listener_with_another_key) {
  pair_.dialer_allows = {crypto::KeyPair::generate().public_key()};
  const auto [at_dialer, at_listener] = pair_.shake_hands();
  EXPECT_EQ(at_dialer, Progress::refused);
  EXPECT_TRUE(pair_.dialer->refused_unknown_key());
  EXPECT_EQ(at_listener, Progress::refused);
  EXPECT_TRUE(pair_.listener->peer_refused_certificate());
}

TEST_F(TlsStreamTest, refuses_a_dialer_with_another_key) {
  pair_.listener_allows = {crypto::KeyPair::generate().public_key()};
  const auto [at_dialer, at_listener] = pair_.shake_hands();
  EXPECT_EQ(at_listener, Progress::refused);
  EXPECT_TRUE(pair_.listener->refused_unknown_key());
  EXPECT_EQ(at_dialer, Progress::done) << "a TLS 1.3 client is done before its key is looked at";
  std::array<std::byte, 10> room{};
  EXPECT_EQ(pair_.dialer->read(room).progress, Progress::refused);
  EXPECT_TRUE(pair_.dialer->peer_refused_certificate());
}

TEST_F(TlsStreamTest, nobody_is_let_in_where_nobody_is_allowed) {
  pair_.listener_allows = {};
  EXPECT_EQ(pair_.shake_hands().second, Progress::refused);
}

TEST_F(TlsStreamTest, carries_bytes_and_says_when_to_wait) {
  ASSERT_EQ(pair_.shake_hands().second, Progress::done);
  pair_.dialer->keep_buffers();
  std::vector<std::byte> source(3U << 20);
  for (std::size_t i = 0; i < source.size(); ++i) {
    source[i] = static_cast<std::byte>(i * 31 >> 3U);
  }
  std::vector<std::byte> arrived;
  ByteView rest = source;
  Progress reading = Progress::wants_read;
  bool waited = false;
  while (arrived.size() < source.size()) {
    while (!rest.empty()) {
      const auto transfer = pair_.dialer->write(rest);
      if (transfer.progress != Progress::done) {
        ASSERT_EQ(transfer.progress, Progress::wants_write);
        waited = true;
        break;
      }
      rest = rest.subspan(transfer.bytes);
    }
    static_cast<void>(pair_.dialer->flush());
    const auto some = read_all(*pair_.listener, reading);
    ASSERT_EQ(reading, Progress::wants_read);
    arrived.insert(arrived.end(), some.begin(), some.end());
  }
  EXPECT_TRUE(waited);
  EXPECT_EQ(arrived, source);
  EXPECT_EQ(pair_.dialer->unsent_bytes(), 0U);
  EXPECT_EQ(pair_.dialer->wire_bytes_out(), pair_.listener->wire_bytes_in());
  EXPECT_GT(pair_.dialer->wire_bytes_out(), source.size());
}

TEST_F(TlsStreamTest, exports_the_same_key_at_both_ends_of_one_session_only) {
  ASSERT_EQ(pair_.shake_hands().second, Progress::done);
  const std::array<std::byte, 3> context{std::byte{1}, std::byte{2}, std::byte{3}};
  const auto key = pair_.dialer->exported_key(context);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key, pair_.listener->exported_key(context));
  EXPECT_NE(key, pair_.listener->exported_key(ByteView(context).first(2)));
  TlsPair other;
  ASSERT_EQ(other.shake_hands().second, Progress::done);
  EXPECT_NE(key, other.dialer->exported_key(context));
}

TEST_F(TlsStreamTest, tells_an_orderly_end_from_a_broken_one) {
  ASSERT_EQ(pair_.shake_hands().second, Progress::done);
  Progress last = Progress::done;
  pair_.dialer->say_goodbye();
  pair_.sockets.close(0);
  EXPECT_TRUE(read_all(*pair_.listener, last).empty());
  EXPECT_EQ(last, Progress::closed);
  TlsPair other;
  ASSERT_EQ(other.shake_hands().second, Progress::done);
  other.sockets.close(0);
  EXPECT_TRUE(read_all(*other.listener, last).empty());
  EXPECT_EQ(last, Progress::broken);
}

TEST_F(TlsStreamTest, refuses_a_record_that_was_changed) {
  ASSERT_EQ(pair_.shake_hands().second, Progress::done);
  const std::array<std::byte, 30> forged{std::byte{23}, std::byte{3}, std::byte{3}, std::byte{0},
                                         std::byte{25}};
  ASSERT_EQ(::send(pair_.sockets[0], forged.data(), forged.size(), 0), 30);
  Progress last = Progress::done;
  EXPECT_TRUE(read_all(*pair_.listener, last).empty());
  EXPECT_EQ(last, Progress::refused);
  EXPECT_THAT(pair_.listener->failure(), testing::HasSubstr("bad record mac"));
}

TEST_F(TlsStreamTest, ends_a_handshake_that_goes_on_for_too_long) {
  EXPECT_EQ(pair_.shake_hands(100).second, Progress::refused);
  EXPECT_THAT(pair_.listener->failure(), testing::HasSubstr("too long"));
}

TEST_F(TlsStreamTest, counts_the_key_updates_of_the_peer) {
  ASSERT_EQ(pair_.shake_hands().second, Progress::done);
  const std::array<std::byte, 5> bytes{};
  Progress last = Progress::done;
  for (int i = 0; i < 3; ++i) {
    pair_.dialer->update_key();
    ASSERT_EQ(pair_.dialer->write(bytes).progress, Progress::done);
    ASSERT_EQ(pair_.dialer->flush(), Progress::done);
    EXPECT_EQ(read_all(*pair_.listener, last).size(), bytes.size());
  }
  EXPECT_EQ(pair_.listener->key_updates(), 3U);
  EXPECT_EQ(pair_.dialer->key_updates(), 0U);
}

}  // namespace
}  // namespace mallard::transport
