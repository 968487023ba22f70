// Any bytes as a commit certificate. What decodes encodes to the same bytes; and of all that is tried at one
// batch of one source, only what the source signed is accepted.
//
// The first byte chooses: even, the rest is the proof; odd, it is laid over the true batch by exclusive or,
// range, proof and messages in this order, so that all zeros are the true one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "tests/crypto/certificate_stage.h"

namespace {

using namespace mallard::crypto;
using mallard::ByteReader;
using mallard::ByteView;

void lay_over(std::vector<std::byte>& target, ByteReader& bytes) {
  const ByteView changes = bytes.take(std::min(bytes.remaining(), target.size()));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    target[i] ^= changes[i];
  }
}

void check_form(ByteView proof) {
  const auto certificate = decode_certificate(proof);
  if (!certificate) {
    return;
  }
  std::vector<std::byte> again(certificate_bytes_max);
  again.resize(encode_certificate(*certificate, again));
  if (!std::ranges::equal(again, proof)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static CertificateStage stage(mallard::Prng(11));
  static const Claim truth = stage.honest();
  ByteReader reader(std::as_bytes(std::span(bytes, size)));
  Claim claim = truth;
  if (reader.read<std::uint8_t>() % 2 == 0) {
    const ByteView proof = reader.take(reader.remaining());
    claim.proof.assign(proof.begin(), proof.end());
  } else {
    claim.range.batch.value ^= reader.read<std::uint64_t>();
    claim.range.first.value ^= reader.read<std::uint64_t>();
    claim.range.count = static_cast<std::uint16_t>(claim.range.count ^ reader.read<std::uint16_t>());
    lay_over(claim.proof, reader);
    lay_over(claim.messages, reader);
  }
  check_form(claim.proof);
  const bool is_true =
      claim.range == truth.range && claim.proof == truth.proof && claim.messages == truth.messages;
  if (stage.check(claim).has_value() != is_true) {
    std::abort();
  }
  return 0;
}
