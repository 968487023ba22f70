// A cluster of certify cores in virtual time, with what can go wrong around them: messages that are lost,
// doubled or late, marks that were under way at a crash, restarts behind any snapshot, and replicas that lie.
// It knows what was decided, so it can judge everything that comes out (the comments say what is asserted).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "config/base/prng.h"
#include "rsm/core/certify/certify_core.h"
#include "tests/rsm/core/certify/signing_cluster.h"

namespace mallard::rsm::certify {

struct WorldOptions {
  std::uint64_t seed = 1;
  std::vector<Weight> weights{1, 1, 1, 1};
  Weight u = 1;
  Weight r = 1;
  ReplicaSet liars = 0;       // their weight is at most r
  std::uint64_t loss = 0;     // of a million messages
  std::uint64_t doubled = 0;  // likewise
  Duration delay_max = Duration::milliseconds(2);
  std::uint64_t crashes = 0;  // of a million, at each replica in each millisecond
  bool loses_a_mark = false;  // replica 0 comes back without its mark, once
};

class CertifyWorld {
 public:
  static constexpr std::uint64_t batches = 160;
  // The last batches are never released, so each correct replica must get their certificates itself.
  static constexpr std::uint64_t released_max = batches - 40;

  explicit CertifyWorld(const WorldOptions& options);
  // Until every correct replica has every certificate; whether that came within 30 s of quiet.
  bool run();

  [[nodiscard]] const CertifyCounters& counters(std::size_t replica) const {
    return nodes_[replica].core->link(LinkIndex(0)).counters();
  }
  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }
  [[nodiscard]] std::uint64_t installs() const { return installs_; }
  [[nodiscard]] std::uint64_t contradictions() const { return contradictions_; }
  [[nodiscard]] std::uint64_t certificates() const { return certificates_; }

 private:
  struct Node {
    std::unique_ptr<CertifyCore> core;
    std::uint32_t life = 0;
    bool up = false;
    std::int64_t up_again = 0;
    std::uint64_t log = 0;       // batches that are durable here
    std::uint64_t fed = 0;       // of them, the core was told
    std::uint64_t snapshot = 0;  // where it begins after a restart
    Mark mark;                   // durable
    std::optional<Mark> mark_under_way;
    bool mark_lost = false;
    std::int64_t signer_free = 0;
    std::uint64_t certified = 0;
  };

  [[nodiscard]] bool lies(std::size_t replica) const { return ((options_.liars >> replica) & 1U) != 0; }
  [[nodiscard]] bool is_quiet() const { return now_ >= quiet_at_; }
  void after(Duration delay, std::function<void()> what);
  [[nodiscard]] Duration draw(Duration most);
  void tick();
  void start(std::size_t replica);
  void begin_link(Node& node, std::size_t replica);
  void crash(std::size_t replica);
  void move(std::size_t replica);
  void lie(std::size_t replica);
  void step(std::size_t replica, const Event& event);
  void wake(std::size_t replica);
  void carry_out(std::size_t replica);
  void order(std::size_t replica, const PersistMark& effect);
  void order(std::size_t replica, const Sign& effect);
  void order(std::size_t replica, const CheckShare& effect);
  void order(std::size_t replica, const SendShares& effect);
  void order(std::size_t replica, const AskShares& effect);
  void order(std::size_t replica, const Certified& effect);
  void order(std::size_t replica, const Contradicted& effect);
  void order(std::size_t replica, const LinkHalted& effect);
  void send(std::size_t to, const std::function<void(std::size_t)>& deliver);
  void judge(std::size_t replica, BatchNumber batch);
  [[nodiscard]] bool is_done() const;

  WorldOptions options_;
  SigningCluster cluster_;
  DecidedChain truth_;
  DecidedChain lie_;  // all liars tell the same one
  Prng prng_;
  std::vector<Node> nodes_;
  std::unique_ptr<Effects> effects_;
  std::multimap<std::int64_t, std::function<void()>> queue_;
  std::int64_t now_ = 1'000'000;
  std::int64_t quiet_at_ = 0;
  std::uint64_t decided_ = 0;
  std::uint64_t released_ = 0;
  bool mark_to_lose_ = false;
  std::uint64_t crashes_ = 0;
  std::uint64_t installs_ = 0;
  std::uint64_t contradictions_ = 0;
  std::uint64_t certificates_ = 0;
};

}  // namespace mallard::rsm::certify
