#include "transport/door/door_codec.h"

#include <type_traits>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::transport::door {
namespace {

// The fields of each message, in the order of their bytes. A visitor takes them by reference.
template <class V, class M>
void visit_range(V& v, M& range) {
  v(range.batch), v(range.first), v(range.count);
}
template <class V>
void visit(V& v, auto& m, const Hello&) {
  v(m.mark), v(m.oldest), v(m.newest), v(m.role);
}
template <class V>
void visit(V& v, auto& m, const Welcome&) {
  v(m.version), v(m.replica.cluster), v(m.replica.replica), v(m.incarnation), v(m.unanswered_max);
}
template <class V>
void visit(V& v, auto& m, const Refused&) {
  v(m.reason);
}
template <class V>
void visit(V& v, auto& m, const Submit&) {
  v(m.request), v(m.local);
}
template <class V>
void visit(V& v, auto& m, const Reply&) {
  v(m.request), v(m.status), v(m.leader_known), v(m.leader);
}
template <class V>
void visit(V& v, auto& m, const Attach&) {
  v(m.incarnation), v(m.epoch);
}
template <class V>
void visit(V& v, auto& m, const Standing&) {
  v(m.link), v(m.direction), v(m.generation), v(m.oldest_readable), v(m.batch), v(m.message);
}
template <class V>
void visit(V& v, auto& m, const Attached&) {
  v(m.standings), v(m.fence);
}
template <class V>
void visit(V& v, auto& m, const Tap&) {
  v(m.link), v(m.serial), v(m.after);
}
template <class V>
void visit(V& v, auto& m, const Credit&) {
  v(m.link), v(m.serial), v(m.batches);
}
template <class V>
void visit(V& v, auto& m, const Batch&) {
  v(m.link), v(m.serial), v(m.generation), visit_range(v, m.range), v(m.proof_bytes);
}
template <class V>
void visit(V& v, auto& m, const Extent&) {
  v(m.link), v(m.generation), v(m.oldest_readable), v(m.newest), v(m.newest_message);
}
template <class V>
void visit(V& v, auto& m, const Apply&) {
  v(m.link), v(m.generation), v(m.source_epoch), v(m.destination_epoch), v(m.fence);
  visit_range(v, m.range), v(m.proof_bytes);
}
template <class V>
void visit(V& v, auto& m, const Applied&) {
  v(m.link), v(m.generation), v(m.cursor), v(m.cursor_message);
}
template <class V>
void visit(V& v, auto& m, const Load&) {
  v(m.request), v(m.link), v(m.batch);
}
template <class V>
void visit(V& v, auto& m, const Loaded&) {
  v(m.request), v(m.link), v(m.found), visit_range(v, m.range), v(m.proof_bytes);
}
template <class V>
void visit(V& v, auto& m, const Quacked&) {
  v(m.link), v(m.generation), v(m.through);
}
template <class V>
void visit(V& v, auto& m, const Fenced&) {
  v(m.fence);
}

struct Writer {
  ByteWriter& out;
  template <class T>
  void operator()(const T& value) {
    if constexpr (std::is_enum_v<T> || std::is_same_v<T, bool>) {
      out.write(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
      out.write(value);
    } else {
      out.write(value.value);
    }
  }
};

struct Reader {
  ByteReader in;
  bool canonical = true;
  template <class T>
  void operator()(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const auto byte = in.read<std::uint8_t>();
      canonical = canonical && byte <= 1;
      value = byte == 1;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(in.read<std::uint8_t>());
    } else if constexpr (std::is_integral_v<T>) {
      value = in.read<T>();
    } else {
      value = T(in.read<typename T::Representation>());
    }
  }
};

// ---- Ranges ------------------------------------------------------------------------------------------

template <class E>
bool within(E value, E first, E last) {
  return value >= first && value <= last;
}

bool is_good(LinkIndex link) { return link.value < links_max; }

bool is_good(const BatchRange& range) {
  return range.batch.value >= 1 && range.first.value >= 1 && range.count >= 1 &&
         range.count <= batch_messages_max && range.first.value <= UINT64_MAX - range.count;
}

bool is_good(PayloadRef payload, std::uint16_t proof_bytes) {
  return proof_bytes <= proof_bytes_max && payload.bytes > proof_bytes &&
         payload.bytes - proof_bytes <= batch_bytes_max;
}

bool is_good(const Hello& m) { return within(m.role, Role::client, Role::operations); }
bool is_good(const Welcome& m) {
  return m.replica.cluster.value < clusters_max && m.replica.replica.value < replicas_max;
}
bool is_good(const Refused& m) { return within(m.reason, Refusal::version, Refusal::malformed); }
bool is_good(const Submit& m) {
  return m.request >= 1 && m.command.bytes >= 1 && m.command.bytes <= command_bytes_max;
}
bool is_good(const Reply& m) {
  const bool may_have_bytes = m.status == ReplyStatus::done || m.status == ReplyStatus::not_ready;
  return m.request >= 1 && within(m.status, ReplyStatus::done, ReplyStatus::not_ready) &&
         (may_have_bytes || m.bytes.bytes == 0) && m.bytes.bytes <= reply_bytes_max &&
         (m.leader_known ? m.status == ReplyStatus::not_leader && m.leader.value < replicas_max
                         : m.leader.value == 0);
}
bool is_good(const Attach& m) { return m.incarnation.value != 0; }
bool is_good(const Standing& m) {
  return is_good(m.link) && within(m.direction, LinkDirection::outbound, LinkDirection::inbound);
}
bool is_good(const Attached& m) { return m.standings <= 2 * links_max; }
bool is_good(const Tap& m) { return is_good(m.link); }
bool is_good(const Credit& m) { return is_good(m.link) && m.batches <= window_batches_max; }
bool is_good(const Batch& m) {
  return is_good(m.link) && is_good(m.range) && is_good(m.payload, m.proof_bytes);
}
bool is_good(const Extent& m) { return is_good(m.link); }
bool is_good(const Apply& m) {
  return is_good(m.link) && is_good(m.range) && is_good(m.payload, m.proof_bytes);
}
bool is_good(const Applied& m) { return is_good(m.link); }
bool is_good(const Load& m) { return m.request >= 1 && is_good(m.link) && m.batch.value >= 1; }
bool is_good(const Loaded& m) {
  const bool fits = m.found ? is_good(m.range) && is_good(m.payload, m.proof_bytes)
                            : m.range == BatchRange{} && m.proof_bytes == 0 && m.payload == PayloadRef{};
  return m.request >= 1 && is_good(m.link) && fits;
}
bool is_good(const Quacked& m) { return is_good(m.link); }
bool is_good(const Fenced& m) { return m.fence.value >= 1; }

// ---- Bodies ------------------------------------------------------------------------------------------

template <class M>
auto* body_in(M& m) {
  if constexpr (std::is_same_v<std::remove_const_t<M>, Submit>) {
    return &m.command;
  } else if constexpr (std::is_same_v<std::remove_const_t<M>, Reply>) {
    return &m.bytes;
  } else if constexpr (requires { m.payload; }) {
    return &m.payload;
  } else {
    return static_cast<PayloadRef*>(nullptr);
  }
}

template <class M>
bool decode_as(ByteReader in, PayloadRef body, std::optional<DoorMessage>& decoded) {
  M message;
  Reader reader{in};
  visit(reader, message, message);
  if (PayloadRef* const place = body_in(message); place != nullptr) {
    *place = body;
  } else if (body.bytes != 0) {
    return true;
  }
  if (reader.in.ok() && reader.in.remaining() == 0 && reader.canonical && is_good(message)) {
    decoded = message;
  }
  return true;
}

template <class... M>
void decode_any(std::uint8_t kind, ByteReader in, PayloadRef body,
                std::optional<std::variant<M...>>& decoded) {
  static_cast<void>(((kind == M::kind && decode_as<M>(in, body, decoded)) || ...));
}

unsigned sayers(const DoorMessage& message) {
  return std::visit([](const auto& m) { return std::decay_t<decltype(m)>::said_by; }, message);
}

}  // namespace

std::optional<FrameLengths> decode_frame_header(ByteView header) {
  ByteReader in(header);
  FrameLengths lengths;
  lengths.body_bytes = in.read<std::uint32_t>();
  lengths.head_bytes = in.read<std::uint16_t>();
  if (!in.ok() || lengths.body_bytes > body_bytes_max || lengths.head_bytes == 0 ||
      lengths.head_bytes > head_bytes_max) {
    return std::nullopt;
  }
  return lengths;
}

std::optional<DoorMessage> decode_message(ByteView head, PayloadRef body) {
  ByteReader in(head);
  const auto kind = in.read<std::uint8_t>();
  std::optional<DoorMessage> decoded;
  if (in.ok()) {
    decode_any(kind, in, body, decoded);
  }
  return decoded;
}

std::size_t encode_head(const DoorMessage& message, ByteSpan out) {
  ByteWriter head(out.subspan(frame_header_bytes));
  std::visit(
      [&head](const auto& m) {
        MALLARD_INVARIANT(is_good(m));
        head.write(m.kind);
        Writer writer{head};
        visit(writer, m, m);
      },
      message);
  MALLARD_INVARIANT(head.used() <= head_bytes_max);
  ByteWriter header(out);
  header.write(body_of(message).bytes);
  header.write(static_cast<std::uint16_t>(head.used()));
  return frame_header_bytes + head.used();
}

PayloadRef body_of(const DoorMessage& message) {
  return std::visit(
      [](const auto& m) {
        const PayloadRef* const body = body_in(m);
        return body == nullptr ? PayloadRef{} : *body;
      },
      message);
}

bool is_said_by(Role role, const DoorMessage& message) {
  return (sayers(message) & (1U << static_cast<unsigned>(role))) != 0 &&
         !std::holds_alternative<Hello>(message);
}

bool is_said_by_replica(const DoorMessage& message) { return (sayers(message) & said_by_replica) != 0; }

}  // namespace mallard::transport::door
