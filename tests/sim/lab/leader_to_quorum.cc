// GeoBFT's way between clusters (ResilientDB, VLDB 2020, section 2.3 to 2.4): the leader of the source sends
// each batch to u + 1 replicas of the destination, each of which sends it to its peers. A destination that
// hears nothing for too long agrees that the leader failed and asks the source, replica by replica, for
// another one, which sends again what is missing. Which u + 1 replicas it is changes from batch to batch:
// with a fixed set their egress would be the limit.
#include <algorithm>
#include <bit>
#include <set>

#include "tests/sim/lab/participant.h"
#include "tests/sim/lab/plain_participant.h"

namespace mallard::lab {

namespace {

enum Kind : std::uint8_t {
  batch_of_leader,
  share,
  complaint,  // inside the destination: in this view, everything from `next` on is missing
  request,    // from a destination replica to a source replica, and passed on inside the source
};

// Which of 64 replicas said something about the present view.
struct Votes {
  std::uint64_t mask = 0;
  void add(std::size_t replica) { mask |= std::uint64_t{1} << replica; }
  [[nodiscard]] std::size_t count() const { return static_cast<std::size_t>(std::popcount(mask)); }
};

class LeaderToQuorum final : public PlainParticipant {
 public:
  explicit LeaderToQuorum(const ParticipantSettings& settings)
      : PlainParticipant(settings), last_progress_(Instant{}) {}

  void start(Turn& turn) override { last_progress_ = turn.now(); }

  void commit(std::uint64_t batch, Turn& turn) override {
    PlainParticipant::commit(batch, turn);
    highest_taken_ = std::max(highest_taken_, batch);
    if (view_ % shape().from != replica()) {
      return;
    }
    const std::size_t chosen = RunShape::faults_of(shape().to) + 1;
    for (std::size_t i = 0; i < chosen; ++i) {
      Parcel* parcel = send_batch(receiver((batch * chosen + i) % shape().to), batch, turn);
      if (parcel != nullptr) {
        parcel->kind = batch_of_leader;
        parcel->resend = batch <= resent_up_to_;
      }
    }
  }

  void receive(const Parcel& parcel, Turn& turn) override {
    switch (parcel.kind) {
      case batch_of_leader:
      case share:
        take_batch(parcel, turn);
        break;
      case complaint:
        take_complaint(parcel, turn);
        break;
      default:
        take_request(parcel, turn);
    }
  }

  [[nodiscard]] Instant next_deadline() const override {
    return in_source() ? Instant::never() : last_progress_ + timeout();
  }
  void on_deadline(Turn& turn) override {
    last_progress_ = turn.now();
    complain(turn);
  }

 private:
  [[nodiscard]] Duration timeout() const {
    return leader_timeout * (std::int64_t{1} << std::min<std::uint64_t>(view_, 6));
  }

  void take_batch(const Parcel& parcel, Turn& turn) {
    turn.deliver(parcel.batch);
    if (parcel.kind == batch_of_leader) {
      for (std::size_t step = 1; step < shape().to; ++step) {
        Parcel* sent = send_batch(receiver((replica() + step) % shape().to), parcel.batch, turn);
        if (sent != nullptr) {
          sent->kind = share;
        }
      }
    }
    if (parcel.batch <= prefix_) {
      return;
    }
    beyond_.insert(parcel.batch);
    while (!beyond_.empty() && *beyond_.begin() == prefix_ + 1) {
      beyond_.erase(beyond_.begin());
      ++prefix_;
      last_progress_ = turn.now();
    }
  }

  void complain(Turn& turn) {
    complained_ = true;
    for (std::size_t i = 0; i < shape().to; ++i) {
      if (i != replica()) {
        Parcel* parcel = send_control(receiver(i), turn);
        if (parcel != nullptr) {
          parcel->kind = complaint;
          parcel->view = view_;
        }
      }
    }
    vote(replica(), turn);
  }

  void take_complaint(const Parcel& parcel, Turn& turn) {
    if (parcel.view == view_) {
      vote(parcel.from - shape().from, turn);
    }
  }

  // r + 1 complaints are joined: one of them is true. With those of all but u, this replica asks for the next
  // leader.
  void vote(std::size_t from, Turn& turn) {
    votes_.add(from);
    const std::size_t faults = RunShape::faults_of(shape().to);
    if (!complained_ && votes_.count() > faults) {
      complain(turn);
      return;
    }
    if (votes_.count() < shape().to - faults) {
      return;
    }
    Parcel* parcel = send_control(static_cast<NodeId>(replica() % shape().from), turn);
    if (parcel != nullptr) {
      parcel->kind = request;
      parcel->origin = self();
      parcel->view = view_;
      parcel->next = prefix_ + 1;
    }
    next_view(turn.now());
  }

  void take_request(const Parcel& parcel, Turn& turn) {
    if (parcel.view != view_) {
      return;
    }
    if (parcel.from == parcel.origin) {
      for (std::size_t i = 0; i < shape().from; ++i) {
        Parcel* copy = i == replica() ? nullptr : send_control(static_cast<NodeId>(i), turn);
        if (copy != nullptr) {
          copy->kind = request;
          copy->origin = parcel.origin;
          copy->view = parcel.view;
          copy->next = parcel.next;
        }
      }
    }
    missing_from_ = votes_.mask == 0 ? parcel.next : std::min(missing_from_, parcel.next);
    votes_.add(parcel.origin - shape().from);
    if (votes_.count() > RunShape::faults_of(shape().to)) {
      next_view(turn.now());
      if (view_ % shape().from == replica()) {
        resent_up_to_ = highest_taken_;
        take_again_after(missing_from_ - 1);
      }
    }
  }

  void next_view(Instant now) {
    ++view_;
    votes_ = Votes{};
    complained_ = false;
    last_progress_ = now;
  }

  std::uint64_t view_ = 0;
  Votes votes_;
  // Destination.
  Instant last_progress_;
  bool complained_ = false;
  std::uint64_t prefix_ = 0;
  std::set<std::uint64_t> beyond_;
  // Source.
  std::uint64_t highest_taken_ = 0;
  std::uint64_t resent_up_to_ = 0;
  std::uint64_t missing_from_ = 0;
};

}  // namespace

std::unique_ptr<Participant> make_leader_to_quorum(const ParticipantSettings& settings) {
  return std::make_unique<LeaderToQuorum>(settings);
}

}  // namespace mallard::lab
