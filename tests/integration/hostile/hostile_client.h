// A client over the network that does not keep to what it may: proves a key, and then says what it likes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/time.h"
#include "config/system/file_descriptor.h"
#include "crypto/key_pair.h"
#include "transport/channel/tls_context.h"
#include "transport/channel/tls_stream.h"
#include "transport/door/door_client.h"

namespace mallard::integration {

class HostileClient {
 public:
  struct Answer {
    transport::door::ReplyStatus status = transport::door::ReplyStatus::done;
    std::vector<std::byte> bytes;  // done: the machine's reply
  };

  // Comes from a loopback address, and says hello as a client. Not open when the replica does not let it in
  // within `limit`.
  HostileClient(const transport::door::RemoteDoor& door, const std::string& from, Duration limit);

  [[nodiscard]] bool is_open() const { return open_; }
  // Whether the replica knew the key; of who is not open.
  [[nodiscard]] bool is_known() const { return done_; }
  // Any bytes; false when the connection has ended.
  bool say(ByteView bytes, Duration limit);
  // Asks for all of `commands` at once and waits for the answers, in the order of the requests. Fewer, when
  // the connection ends or `limit` passes.
  std::vector<Answer> ask(std::span<const std::vector<std::byte>> commands, Duration limit);
  // Whether the replica ends the connection within `limit`.
  bool is_ended(Duration limit);

 private:
  bool shake_hands(Instant end);
  // The next message; nothing when the connection has ended or the time is over.
  std::optional<transport::door::DoorMessage> hear(Instant end, std::vector<std::byte>& body);
  [[nodiscard]] bool read_more(Instant end);
  void wait_on(short events, Instant end) const;

  const PublicKey replica_;
  transport::TlsContext context_;
  FileDescriptor socket_;
  transport::TlsStream tls_;
  std::vector<std::byte> heard_;
  std::uint64_t requests_ = 0;
  bool done_ = false;
  bool open_ = false;
};

}  // namespace mallard::integration
