// One bridge core on a stage: golden stories tell it what happens, it answers with its effects, one per line.
//
// Two clusters, east and west; link 0 leads from east to west, link 1 (with `both`) back. Replicas are e0,
// e1 ... and w0, w1 .... A payload is named by its batch, a second one of the same batch by 5b, and so on;
// the stage keeps count of who owns each and says so where a core gives back what it does not own.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bridge/core/bridge_core.h"
#include "tests/support/datadriven.h"

namespace mallard::bridge {

class CoreStory {
 public:
  // Commands: see the stories in tests/bridge/core/testdata.
  std::string play(const support::StoryCommand& command);

 private:
  using Command = support::StoryCommand;

  std::string set_up(const Command& command);
  std::string commit(const Command& command);
  std::string receive(const Command& command);
  std::string advance(const Command& command);
  std::string starve(const Command& command);
  std::string show_outbound(const Command& command) const;
  std::string show_inbound(const Command& command) const;
  std::string show_peer(const Command& command) const;
  std::string show_payloads() const;

  // Adds the sections that the command asks for.
  void add_batch(const Command& command, Frame& frame);
  void add_ack(const Command& command, Frame& frame);
  [[nodiscard]] LinkContext context_of(const Command& command) const;
  [[nodiscard]] LinkIndex link_of(const Command& command) const;
  [[nodiscard]] ReplicaAddress replica_of(const Command& command, std::string_view key) const;

  std::string step(const Event& event);
  std::string told(const Effects& effects);
  std::string tell(const SendFrame& frame);
  std::string tell(const StartTap& effect);
  std::string tell(const CheckCertificate& effect);
  std::string tell(const Apply& effect);
  std::string tell(const LoadBatch& effect);
  std::string tell(const Quacked& effect);
  std::string tell(const Release& effect);
  std::string tell(const ClosePeer& effect);

  // A payload with one owner, the core.
  PayloadRef payload_of(std::uint64_t batch, std::uint32_t bytes);
  [[nodiscard]] std::string name_of(PayloadRef payload) const;

  std::optional<BridgeCore> core_;
  Instant now_;
  bool answers_checks_ = false;
  std::vector<CertificateChecked> checks_to_answer_;
  std::set<std::uint32_t> open_checks_;
  std::vector<std::string> names_;              // of payloads, by slot
  std::vector<int> owned_;                      // references that the core has, by slot
  std::map<std::uint64_t, int> copies_;         // of each batch
  std::map<ReplicaAddress, Stamp> last_asked_;  // stamp of the last frame to it that wanted an answer
  std::vector<std::byte> phi_bytes_;
};

}  // namespace mallard::bridge
