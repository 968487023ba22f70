#include "transport/channel/hello.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "config/base/invariant.h"

namespace mallard::transport {
namespace {

constexpr std::uint32_t hello_magic = 0x64726c6d;  // "mlrd"

}  // namespace

std::string_view hello_refusal_text(HelloRefusal refusal) {
  switch (refusal) {
    case HelloRefusal::not_a_hello:
      return "what the peer said first is not a hello: is it Mallard?";
    case HelloRefusal::wrong_binding:
      return "the hello was made for another connection: is somebody in between?";
    case HelloRefusal::wrong_identity:
      return "the peer claims to be a replica whose gateway key it does not have: compare keys and --id";
    case HelloRefusal::other_plane:
      return "one side means the port between clusters, the other the port inside one: compare the ports";
    case HelloRefusal::other_configuration:
      return "configuration digest differs: compare the YAML files";
    case HelloRefusal::no_common_version:
      return "no wire version that both sides speak: upgrade one release at a time";
    case HelloRefusal::older_incarnation:
      return "a newer life of the same replica is connected: does it run twice?";
  }
  return "unknown";
}

void encode_hello(const Hello& hello, ByteSpan out) {
  MALLARD_INVARIANT(out.size() == hello_bytes);
  ByteWriter writer(out);
  writer.write(hello_magic);
  writer.write(static_cast<std::uint16_t>(hello_rest_bytes));
  writer.write(hello.versions.min);
  writer.write(hello.versions.max);
  writer.write(static_cast<std::uint8_t>(hello.plane));
  writer.write(hello.from.cluster.value);
  writer.write(hello.from.replica.value);
  writer.write(hello.incarnation.value);
  writer.write_bytes(std::as_bytes(std::span(hello.configuration.bytes)));
  writer.write_bytes(std::as_bytes(std::span(hello.binding)));
}

Result<std::size_t, HelloRefusal> decode_hello_prefix(ByteView prefix) {
  ByteReader reader(prefix);
  const auto magic = reader.read<std::uint32_t>();
  const auto rest = std::size_t{reader.read<std::uint16_t>()};
  if (!reader.ok() || magic != hello_magic || rest < hello_rest_bytes || rest > hello_rest_bytes_max) {
    return Failure<HelloRefusal>(HelloRefusal::not_a_hello);
  }
  return rest;
}

Result<Hello, HelloRefusal> decode_hello(ByteView bytes) {
  const auto rest = decode_hello_prefix(bytes);
  if (!rest || bytes.size() != hello_prefix_bytes + *rest) {
    return Failure<HelloRefusal>(HelloRefusal::not_a_hello);
  }
  ByteReader reader(bytes.subspan(hello_prefix_bytes));
  Hello hello;
  hello.versions.min = reader.read<std::uint16_t>();
  hello.versions.max = reader.read<std::uint16_t>();
  const auto plane = reader.read<std::uint8_t>();
  hello.from.cluster = ClusterIndex(reader.read<std::uint16_t>());
  hello.from.replica = ReplicaIndex(reader.read<std::uint16_t>());
  hello.incarnation = Incarnation(reader.read<std::uint64_t>());
  const auto copy_to = [&reader](std::array<std::uint8_t, 32>& target) {
    const ByteView source = reader.take(target.size());
    std::ranges::copy(source, std::as_writable_bytes(std::span(target)).begin());
  };
  copy_to(hello.configuration.bytes);
  copy_to(hello.binding);
  const bool versions_good = hello.versions.min >= 1 && hello.versions.min <= hello.versions.max;
  const bool plane_good = plane >= static_cast<std::uint8_t>(Plane::bridge) &&
                          plane <= static_cast<std::uint8_t>(Plane::replicas);
  if (!reader.ok() || !versions_good || !plane_good || hello.incarnation.value == 0) {
    return Failure<HelloRefusal>(HelloRefusal::not_a_hello);
  }
  hello.plane = static_cast<Plane>(plane);
  return hello;
}

Result<std::uint16_t, HelloRefusal> judge_hello(const Hello& theirs, const Hello& ours, ReplicaAddress proved,
                                                const std::array<std::uint8_t, 32>& binding) {
  if (CRYPTO_memcmp(theirs.binding.data(), binding.data(), binding.size()) != 0) {
    return Failure<HelloRefusal>(HelloRefusal::wrong_binding);
  }
  if (theirs.from != proved) {
    return Failure<HelloRefusal>(HelloRefusal::wrong_identity);
  }
  if (theirs.plane != ours.plane) {
    return Failure<HelloRefusal>(HelloRefusal::other_plane);
  }
  if (theirs.configuration != ours.configuration) {
    return Failure<HelloRefusal>(HelloRefusal::other_configuration);
  }
  const std::uint16_t version = std::min(theirs.versions.max, ours.versions.max);
  if (version < std::max(theirs.versions.min, ours.versions.min)) {
    return Failure<HelloRefusal>(HelloRefusal::no_common_version);
  }
  return version;
}

}  // namespace mallard::transport
