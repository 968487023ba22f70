// A key-value machine with a log of its own: commands in text, replies decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/prng.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::rsm {

using Bytes = std::vector<std::byte>;

[[nodiscard]] Bytes put_command(std::string_view key, std::string_view value,
                                const std::optional<SessionTag>& session = {});
[[nodiscard]] Bytes erase_command(std::string_view key, const std::optional<SessionTag>& session = {});
[[nodiscard]] Bytes increment_command(std::string_view key, std::uint64_t amount,
                                      const std::optional<SessionTag>& session = {});
[[nodiscard]] Bytes get_command(std::string_view key);
[[nodiscard]] Bytes number_command(KvOperation operation, std::uint64_t number);
[[nodiscard]] Bytes close_command(std::uint64_t session, std::uint64_t owner);

struct Answer {
  KvStatus status = KvStatus::malformed;
  std::uint64_t index = 0;
  std::string body;
  // The body as numbers.
  [[nodiscard]] std::uint64_t number(std::size_t position = 0) const;
  friend bool operator==(const Answer&, const Answer&) = default;
};

using Entries = std::vector<std::pair<std::string, std::string>>;

// Keeps every link message as text.
class EgressLog : public EgressSink {
 public:
  struct Record {
    std::uint16_t link = 0;
    std::uint32_t generation = 0;
    std::uint64_t number = 0;
    std::uint64_t batch = 0;
    std::uint64_t index = 0;
    std::string message;
    friend bool operator==(const Record&, const Record&) = default;
  };
  void emit(const LinkMessage& message) override;
  std::vector<Record> records;
};

class MachineStage {
 public:
  explicit MachineStage(const KvSettings& settings = small());

  // Small enough for a test to fill.
  [[nodiscard]] static KvSettings small();

  // The command as the next entry of the log.
  Answer run(const Bytes& command);
  Answer put(std::string_view key, std::string_view value) { return run(put_command(key, value)); }
  Answer erase(std::string_view key) { return run(erase_command(key)); }
  Answer increment(std::string_view key, std::uint64_t amount) { return run(increment_command(key, amount)); }
  std::uint64_t open_session(std::uint64_t owner);

  Result<Answer, MachineFault> query(ViewId view, const Bytes& command);
  Answer get(std::string_view key, ViewId view = {});
  // All entries with the prefix, page by page of `page` entries.
  Entries scan(std::string_view prefix, ViewId view = {}, std::uint32_t page = 1'000);

  [[nodiscard]] StateDigest hash() { return *machine.state_hash(ViewId{}); }
  [[nodiscard]] StateIdentity identity() { return {.index = machine.applied(), .hash = hash()}; }
  // Every chunk of the view.
  [[nodiscard]] std::vector<Bytes> export_all(ViewId view = {});

  KvMachine machine;
  EgressLog egress;

 private:
  Bytes reply_;
};

// One of what clients order, over few keys.
[[nodiscard]] Bytes random_command(Prng& prng);

}  // namespace mallard::rsm
