// Any bytes as a log: u16 length and a command, again and again. What decodes encodes to the same bytes
// again, every command is answered, in the log and outside of it, and what comes of it can be exported and
// imported.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "crypto/sodium.h"
#include "rsm/machine/kv_command.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/machine/kv_reply.h"

namespace {

using mallard::rsm::KvMachine;

constexpr mallard::rsm::KvSettings settings{
    .state_bytes = 64U << 10U, .sessions_max = 2, .view_bytes = 4U << 10U};

class Nowhere : public mallard::EgressSink {
 public:
  void emit(const mallard::LinkMessage& message) override { static_cast<void>(message); }
};

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// One machine for all inputs, since it brings large buffers; an import that fails empties it.
KvMachine& empty_machine() {
  mallard::crypto::start_sodium();
  static KvMachine machine(settings);
  machine.begin_import({});
  static std::vector<std::byte> chunk(mallard::chunk_bytes_max);
  mallard::rsm::ChunkWriter writer(chunk, {}, {});
  require(!machine.import_chunk(mallard::ByteView(chunk).first(writer.finish(true))));
  return machine;
}

void require_round_trip(KvMachine& from) {
  static KvMachine to(settings);
  static std::vector<std::byte> chunk(mallard::chunk_bytes_max);
  to.begin_import({.index = from.applied(), .hash = *from.state_hash({})});
  for (bool last = false; !last;) {
    const auto exported = from.export_chunk({}, to.import_cursor(), chunk);
    require(exported.has_value());
    const auto taken = to.import_chunk(mallard::ByteView(chunk).first(exported->bytes));
    require(taken && *taken == exported->last);
    last = *taken;
  }
  require(*to.state_hash({}) == *from.state_hash({}));
}

// Asked outside of the log, any bytes are answered, and a list of changes is whole and keeps to its order.
void require_answer(KvMachine& machine, mallard::ByteView command, mallard::ByteSpan reply) {
  const auto used = machine.query({}, command, reply);
  const auto answer = used ? mallard::rsm::decode_reply(mallard::ByteView(reply).first(*used)) : std::nullopt;
  require(answer.has_value());
  const auto decoded = mallard::rsm::decode_command(command);
  if (decoded && decoded->operation == mallard::rsm::KvOperation::changes &&
      answer->status == mallard::rsm::KvStatus::ok) {
    mallard::rsm::KvChangeList changes(answer->body);
    std::uint64_t at_least = decoded->changes.from;
    std::uint64_t behind = at_least;
    while (const auto change = changes.next()) {
      require(change->index.value >= at_least && change->index <= answer->index);
      at_least = change->index.value;
      behind = at_least + 1;
    }
    require(changes.ok() && changes.go_on_from() >= behind);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  KvMachine& machine = empty_machine();
  static std::vector<std::byte> reply(mallard::reply_bytes_max);
  Nowhere nowhere;
  mallard::ByteReader reader(std::as_bytes(std::span(bytes, size)));
  while (reader.remaining() >= 2) {
    const auto length = reader.read<std::uint16_t>();
    const auto command = reader.take(std::min<std::size_t>(length, reader.remaining()));
    if (const auto decoded = mallard::rsm::decode_command(command)) {
      require(std::ranges::equal(mallard::rsm::encode_command(*decoded), command));
      static_cast<void>(mallard::rsm::is_within(*decoded, {}));
    }
    if (machine.applied().value % 4 == 0) {
      static_cast<void>(machine.open_view());
    }
    require_answer(machine, command, reply);
    const auto used = machine.apply(machine.applied().next(), command, reply, nowhere);
    const auto answer = mallard::rsm::decode_reply(mallard::ByteView(reply).first(used));
    require(answer && answer->index.value <= machine.applied().value);
  }
  require_round_trip(machine);
  return 0;
}
