// What a checker sees of the world, and the list of all checkers. A checker judges one property (research:
// the predicates A to F of the reliability plan) and reports the first breach by its stable name.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bridge/core/effect.h"
#include "bridge/core/event.h"
#include "bridge/core/frame.h"
#include "tests/sim/replica.h"
#include "tests/sim/stage.h"

namespace mallard::sim {

// A frame on its way between two gateways, decoded again from its bytes.
struct Passage {
  const Replica& from;
  const Replica& to;
  const bridge::Frame& frame;
  ByteView head;
  ByteView body;
};

class Checker {
 public:
  Checker(Stage& stage, const std::vector<Replica>& replicas, const char* name)
      : stage_(stage), replicas_(replicas), name_(name) {}
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;
  virtual ~Checker() = default;

  [[nodiscard]] const char* name() const { return name_; }

  // A life of a replica begins or ends.
  virtual void on_start(const Replica&) {}
  virtual void on_crash(const Replica&) {}
  // The gateway was given the next batch of its log.
  virtual void on_tapped(const Replica&, std::uint32_t /*link*/, BatchIndex, PayloadRef) {}
  // A gateway handed a frame to its carrier, which took it; a puppet's frames come as the puppet sends them.
  virtual void on_sent(const Passage&) {}
  // A frame is about to be given to a living gateway.
  virtual void on_received(const Passage&) {}
  // The gateway learns the outcome of a check.
  virtual void on_checked(const Replica&, const bridge::CheckCertificate&, bool /*valid*/) {}
  // The RSM is asked to apply a batch; `store` is its state before.
  virtual void on_apply(const Replica&, const bridge::Apply&, ByteView /*payload*/) {}
  // The RSM's cursor became durable.
  virtual void on_durable(const Replica&, std::uint32_t /*link*/) {}
  virtual void on_effect(const Replica&, const bridge::Effect&) {}
  // From time to time.
  virtual void on_watch() {}
  // The faults are over; the drain begins. Then: everything has arrived.
  virtual void on_heal() {}
  virtual void on_drained() {}

 protected:
  void fail(std::string detail) const { stage_.fail(name_, std::move(detail)); }
  [[nodiscard]] const LinkTruth& truth(std::uint32_t link) const { return stage_.links[link]; }
  [[nodiscard]] const bridge::ClusterView& cluster(std::uint16_t index) const {
    return stage_.options.clusters[index].view;
  }
  // Whether the context is that of one of the world's links.
  [[nodiscard]] bool current(const bridge::LinkContext& context) const {
    return context.link.value < stage_.links.size() &&
           stage_.links[context.link.value].shape().context == context;
  }
  // Replicas of one cluster.
  [[nodiscard]] std::span<const Replica> members(std::uint16_t cluster) const;

  Stage& stage_;
  const std::vector<Replica>& replicas_;

 private:
  const char* name_;
};

class Watchers {
 public:
  void add(std::unique_ptr<Checker> checker) { checkers_.push_back(std::move(checker)); }

  template <class Method, class... Arguments>
  void tell(Method method, const Arguments&... arguments) {
    for (const std::unique_ptr<Checker>& checker : checkers_) {
      (checker.get()->*method)(arguments...);
    }
  }

 private:
  std::vector<std::unique_ptr<Checker>> checkers_;
};

}  // namespace mallard::sim
