#include "rsm/machine/link_command.h"

#include "config/base/invariant.h"
#include "config/base/limits.h"
#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {
namespace {

constexpr std::size_t command_head_bytes = 2;  // operation, no session
constexpr std::size_t open_head_bytes = 7;
constexpr std::size_t apply_head_bytes = 34;
constexpr std::size_t number_bytes = 8;
constexpr auto put_kind = std::byte{'P'};
constexpr auto erase_kind = std::byte{'D'};
constexpr auto increment_kind = std::byte{'I'};

bool are_messages(ByteView bytes, std::size_t count) {
  ByteReader reader(bytes);
  for (std::size_t i = 0; i < count; ++i) {
    const auto length = reader.read<std::uint32_t>();
    reader.take(length);
    if (!reader.ok() || length == 0 || length > message_bytes_max) {
      return false;
    }
  }
  return reader.remaining() == 0;
}

void write_head(ByteWriter& writer, KvOperation operation) {
  writer.write(static_cast<std::uint8_t>(operation));
  writer.write(std::uint8_t{0});
}

}  // namespace

bool are_prefixes(ByteView bytes) {
  ByteReader reader(bytes);
  while (reader.ok() && reader.remaining() > 0) {
    const auto length = reader.read<std::uint16_t>();
    reader.take(length);
    if (length > key_bytes_max) {
      return false;
    }
  }
  return reader.ok();
}

std::optional<LinkOpenOrder> decode_link_open(ByteView body) {
  ByteReader reader(body);
  LinkOpenOrder order;
  order.link = LinkIndex(reader.read<std::uint16_t>());
  const auto direction = reader.read<std::uint8_t>();
  order.direction = direction == 1 ? LinkDirection::outbound : LinkDirection::inbound;
  order.generation = Generation(reader.read<std::uint32_t>());
  if (!reader.ok() || order.link.value >= links_max || direction < 1 || direction > 2 ||
      order.generation == Generation{}) {
    return std::nullopt;
  }
  order.prefixes = reader.take(reader.remaining());
  const bool good = order.prefixes.size() <= link_filter_bytes_max && are_prefixes(order.prefixes);
  return good ? std::optional(order) : std::nullopt;
}

std::optional<LinkApplyOrder> decode_link_apply(ByteView body) {
  ByteReader reader(body);
  LinkApplyOrder order;
  order.link = LinkIndex(reader.read<std::uint16_t>());
  order.generation = Generation(reader.read<std::uint32_t>());
  order.fence = Fence(reader.read<std::uint64_t>());
  order.batch = BatchNumber(reader.read<std::uint64_t>());
  order.first = MessageNumber(reader.read<std::uint64_t>());
  order.count = reader.read<std::uint16_t>();
  const auto proof_bytes = reader.read<std::uint16_t>();
  if (!reader.ok() || order.link.value >= links_max || order.count == 0 || order.count > batch_messages_max ||
      proof_bytes > proof_bytes_max || reader.remaining() < proof_bytes ||
      reader.remaining() - proof_bytes > batch_bytes_max) {
    return std::nullopt;
  }
  order.messages = reader.take(reader.remaining() - proof_bytes);
  order.proof = reader.take(proof_bytes);
  return are_messages(order.messages, order.count) ? std::optional(order) : std::nullopt;
}

ByteView next_prefix(ByteReader& prefixes) {
  const auto length = prefixes.read<std::uint16_t>();
  const ByteView prefix = prefixes.take(length);
  MALLARD_INVARIANT(prefixes.ok());
  return prefix;
}

ByteView next_message(ByteReader& messages) {
  const auto length = messages.read<std::uint32_t>();
  const ByteView message = messages.take(length);
  MALLARD_INVARIANT(messages.ok());
  return message;
}

std::optional<KvWrite> write_of(ByteView message) {
  ByteReader reader(message);
  const auto key_bytes = reader.read<std::uint32_t>();
  KvWrite write;
  write.key = reader.take(key_bytes);
  const auto kind = static_cast<std::byte>(reader.read<std::uint8_t>());
  if (!reader.ok() || write.key.empty() || write.key.size() > key_bytes_max) {
    return std::nullopt;
  }
  if (kind == put_kind) {
    write.operation = KvOperation::put;
    write.value = reader.take(reader.remaining());
  } else if (kind == erase_kind) {
    write.operation = KvOperation::erase;
  } else if (kind == increment_kind) {
    write.operation = KvOperation::increment;
    write.amount = reader.read<std::uint64_t>();
  } else {
    return std::nullopt;
  }
  static_assert(message_bytes_max <= value_bytes_max);
  return reader.ok() && reader.remaining() == 0 ? std::optional(write) : std::nullopt;
}

std::size_t message_bytes(const KvWrite& write) {
  const std::size_t head = 4 + write.key.size() + 1;
  switch (write.operation) {
    case KvOperation::put:
      return head + write.value.size();
    case KvOperation::increment:
      return head + number_bytes;
    default:
      return head;
  }
}

void write_message(const KvWrite& write, ByteSpan out) {
  ByteWriter writer(out);
  writer.write(static_cast<std::uint32_t>(write.key.size()));
  writer.write_bytes(write.key);
  switch (write.operation) {
    case KvOperation::put:
      writer.write(std::to_integer<std::uint8_t>(put_kind));
      writer.write_bytes(write.value);
      break;
    case KvOperation::increment:
      writer.write(std::to_integer<std::uint8_t>(increment_kind));
      writer.write(write.amount);
      break;
    default:
      writer.write(std::to_integer<std::uint8_t>(erase_kind));
      break;
  }
}

std::vector<std::byte> encode_link_open(LinkIndex link, LinkDirection direction, Generation generation,
                                        std::span<const std::string_view> prefixes) {
  std::size_t bytes = command_head_bytes + open_head_bytes;
  for (const std::string_view prefix : prefixes) {
    bytes += 2 + prefix.size();
  }
  std::vector<std::byte> command(bytes);
  ByteWriter writer(command);
  write_head(writer, KvOperation::link_open);
  writer.write(link.value);
  writer.write(static_cast<std::uint8_t>(direction == LinkDirection::outbound ? 1 : 2));
  writer.write(generation.value);
  for (const std::string_view prefix : prefixes) {
    writer.write(static_cast<std::uint16_t>(prefix.size()));
    writer.write_bytes(std::as_bytes(std::span(prefix)));
  }
  return command;
}

std::vector<std::byte> encode_link_apply(const LinkApplyOrder& order) {
  std::vector<std::byte> command(link_apply_bytes(order));
  write_link_apply(order, command);
  return command;
}

std::size_t link_apply_bytes(const LinkApplyOrder& order) {
  return command_head_bytes + apply_head_bytes + order.messages.size() + order.proof.size();
}

void write_link_apply(const LinkApplyOrder& order, ByteSpan out) {
  ByteWriter writer(out);
  write_head(writer, KvOperation::link_apply);
  writer.write(order.link.value);
  writer.write(order.generation.value);
  writer.write(order.fence.value);
  writer.write(order.batch.value);
  writer.write(order.first.value);
  writer.write(order.count);
  writer.write(static_cast<std::uint16_t>(order.proof.size()));
  writer.write_bytes(order.messages);
  writer.write_bytes(order.proof);
}

}  // namespace mallard::rsm
