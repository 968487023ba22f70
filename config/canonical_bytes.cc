#include "config/canonical_bytes.h"

#include <span>
#include <string_view>
#include <type_traits>

namespace mallard::config {
namespace {

// Appends to a string of bytes that grows; used at start only.
class CanonicalWriter {
 public:
  template <class T>
  requires std::is_unsigned_v<T>
  void integer(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xffU));
    }
  }

  void count(std::size_t value) { integer(static_cast<std::uint32_t>(value)); }

  void text(std::string_view value) {
    count(value.size());
    const auto view = std::as_bytes(std::span(value));
    bytes_.insert(bytes_.end(), view.begin(), view.end());
  }

  void key(const PublicKey& value) {
    const auto view = std::as_bytes(std::span(value.bytes));
    bytes_.insert(bytes_.end(), view.begin(), view.end());
  }

  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

void write_cluster(CanonicalWriter& out, const ClusterSettings& cluster) {
  out.text(cluster.name);
  out.integer(static_cast<std::uint8_t>(cluster.kind));
  if (cluster.kind == ClusterKind::cft) {
    out.integer(static_cast<std::uint8_t>(cluster.durability));
    out.integer(static_cast<std::uint8_t>(cluster.memory));
  }
  out.integer(cluster.faults.u);
  out.integer(cluster.faults.r);
  out.count(cluster.replicas.size());
  for (const ReplicaSettings& replica : cluster.replicas) {
    out.integer(replica.id.value);
    out.key(replica.keys.gateway);
    out.key(replica.keys.replica);
    out.key(replica.keys.signing);
    out.integer(replica.stake);
  }
}

void write_link(CanonicalWriter& out, const LinkSettings& link) {
  out.text(link.name);
  out.integer(link.from.value);
  out.integer(link.to.value);
  out.count(link.include.size());
  for (const std::string& prefix : link.include) {
    out.text(prefix);
  }
  out.integer(static_cast<std::uint8_t>(link.apply));
  out.integer(link.window.messages);
  out.integer(link.window.bytes);
}

}  // namespace

std::vector<std::byte> canonical_bytes(const Pairing& pairing) {
  CanonicalWriter out;
  out.text("mallard.pairing.v1");
  out.count(pairing.clusters.size());
  for (const ClusterSettings& cluster : pairing.clusters) {
    write_cluster(out, cluster);
  }
  out.count(pairing.links.size());
  for (const LinkSettings& link : pairing.links) {
    write_link(out, link);
  }
  return out.take();
}

}  // namespace mallard::config
