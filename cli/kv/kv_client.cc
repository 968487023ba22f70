#include "cli/kv/kv_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <variant>

#include "transport/door/door_end.h"
#include "transport/door/door_socket.h"

namespace mallard::cli {

namespace door = transport::door;

namespace {

constexpr std::size_t calls_per_wait = 64;
constexpr Duration pause_after_refusal = Duration::milliseconds(10);
// So long a leader may take before the request is repeated elsewhere, if it may be.
constexpr Duration answer_patience = Duration::seconds(2);

std::string_view text_in(ByteView bytes) {
  const void* const begin = bytes.data();
  return {static_cast<const char*>(begin), bytes.size()};
}

}  // namespace

// The door of one replica.
class KvClient::Seat final : private door::DoorClientObserver {
 public:
  Seat(KvClient& owner, std::size_t place, const door::DoorClientSettings& settings,
       std::optional<ReplicaIndex> replica)
      : owner_(owner),
        place_(place),
        replica_(replica),
        client_(settings, {.io = owner.loop_.io(), .pool = owner.pool_, .observer = *this}) {}

  [[nodiscard]] bool is_open() const { return client_.is_open(); }
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  [[nodiscard]] bool is_key_unknown() const { return client_.is_key_unknown(); }
  // Whose door it is: known beforehand, or from who answered here last.
  [[nodiscard]] std::optional<ReplicaIndex> replica() const { return replica_; }
  bool send(const door::Submit& submit) { return client_.send(submit); }

 private:
  void on_open(const door::Welcome& welcome) override {
    replica_ = welcome.replica.replica;
    has_failed_ = false;
    owner_.failure_.clear();
  }
  void on_message(const door::DoorMessage& message) override {
    if (const auto* reply = std::get_if<door::Reply>(&message)) {
      owner_.take(place_, *reply);
      owner_.pool_.release(reply->bytes);
    }
  }
  void on_room() override {}
  void on_closed(door::DoorEnd end) override {
    if (owner_.asked_ && owner_.asked_->place != place_) {
      return;
    }
    owner_.failure_ = fmt::format("the replica closed the connection ({})", door::door_end_name(end));
    if (owner_.asked_) {
      owner_.lose();
    }
  }
  void on_failed(const std::string& what, const std::string& advice) override {
    has_failed_ = true;
    const bool is_any_open =
        std::ranges::any_of(owner_.seats_, [](const auto& seat) { return seat->is_open(); });
    if (!is_any_open && (is_key_unknown() || !owner_.is_key_unknown())) {
      owner_.failure_ = fmt::format("{}; {}", what, advice);
    }
  }

  KvClient& owner_;
  std::size_t place_;
  std::optional<ReplicaIndex> replica_;
  bool has_failed_ = false;
  door::DoorClient client_;
};

KvClient::KvClient(const std::vector<std::filesystem::path>& directories)
    : pool_(4 * PayloadPool::slot_bytes_max) {
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const door::DoorClientSettings settings{.path = door::door_path(directories[i]), .seed = i};
    seats_.push_back(std::make_unique<Seat>(*this, i, settings, std::nullopt));
  }
}

KvClient::KvClient(const std::vector<door::RemoteDoor>& doors, KvListing listing)
    : listing_(std::move(listing)), pool_(4 * PayloadPool::slot_bytes_max) {
  for (std::size_t i = 0; i < doors.size(); ++i) {
    const door::DoorClientSettings settings{.remote = doors[i], .seed = i};
    seats_.push_back(std::make_unique<Seat>(*this, i, settings, ReplicaIndex(static_cast<std::uint16_t>(i))));
  }
}

KvClient::~KvClient() = default;

bool KvClient::is_shut_out() const {
  return std::ranges::all_of(seats_, [](const auto& seat) { return seat->has_failed() && !seat->is_open(); });
}

bool KvClient::is_key_unknown() const {
  return std::ranges::any_of(seats_, [](const auto& seat) { return seat->is_key_unknown(); });
}

bool KvClient::is_turned_away() const { return is_shut_out() && (is_key_unknown() || !listing_.is_listed); }

std::string KvClient::failure() const {
  return is_turned_away() ? fmt::format("{}; {}", failure_, listing_.advice) : failure_;
}

void KvClient::ask(ByteView command, Repeat repeat) {
  command_.assign(command.begin(), command.end());
  repeat_ = repeat;
  local_ = false;
  asked_.reset();
  was_lost_ = false;
  answer_.reset();
}

void KvClient::ask_locally(std::size_t place, ByteView command) {
  ask(command, Repeat::always);
  local_ = true;
  target_ = place;
}

void KvClient::leave(ByteView command) {
  ask(command, Repeat::never);
  const Instant now = transport::EventLoop::now();
  not_before_ = now;
  step(now);
  loop_.run_ready(calls_per_wait);  // the door writes from the loop
  ask({}, Repeat::never);
}

bool KvClient::turn(Instant until) {
  for (;;) {
    const Instant now = transport::EventLoop::now();
    step(now);
    if (answer_ || now >= until || is_turned_away()) {
      return answer_.has_value();
    }
    Instant wake = std::max(not_before_, now + Duration::milliseconds(1));
    if (asked_) {
      wake = repeat_ == Repeat::always ? asked_->at + answer_patience : until;
    }
    loop_.wait(std::min(until, wake), calls_per_wait);
  }
}

void KvClient::step(Instant now) {
  if (answer_ || command_.empty() || now < not_before_) {
    return;
  }
  if (asked_ && repeat_ == Repeat::always && now - asked_->at >= answer_patience) {
    failure_ = "the replica that was asked says nothing";
    lose();
    return;
  }
  if (asked_) {
    return;
  }
  Seat& seat = *seats_[target_];
  if (!seat.is_open()) {
    turn_to(target_ + 1, pause_after_refusal);
    return;
  }
  const auto slot = pool_.allocate(command_.size());
  if (!slot) {
    return;
  }
  ByteWriter(pool_.span(*slot)).write_bytes(command_);
  const door::Submit submit{.request = last_request_ + 1, .command = *slot, .local = local_};
  if (seat.send(submit)) {
    ++last_request_;
    asked_ = Asked{target_, last_request_, now};
  } else {
    turn_to(target_ + 1, pause_after_refusal);
  }
  pool_.release(*slot);
}

void KvClient::take(std::size_t place, const door::Reply& reply) {
  if (!asked_ || asked_->place != place || asked_->request != reply.request) {
    return;  // to what was asked before, and asked again elsewhere
  }
  switch (reply.status) {
    case door::ReplyStatus::unknown_outcome:
      return lose();
    case door::ReplyStatus::busy:
      return turn_to(target_, pause_after_refusal);
    case door::ReplyStatus::not_ready:
      failure_ = fmt::format("replica {} does not serve yet: {}; it was not executed",
                             seats_[place]->replica().value_or(ReplicaIndex(0)).value,
                             text_in(pool_.view(reply.bytes)));
      return turn_to(target_ + 1, pause_after_refusal);
    case door::ReplyStatus::not_leader: {
      if (!reply.leader_known) {
        failure_ = "no replica that can be reached leads; `mallard status` says what they wait for";
        return turn_to(target_ + 1, pause_after_refusal);
      }
      if (const auto leader = place_of(reply.leader)) {
        return turn_to(*leader, Duration::milliseconds(1));
      }
      if (!knows_all_places()) {
        failure_ = fmt::format("replica {} leads, and cannot be reached", reply.leader.value);
        return turn_to(target_ + 1, pause_after_refusal);
      }
      answer_ = KvAnswer{.status = reply.status, .leader = reply.leader, .bytes = {}};
      break;
    }
    case door::ReplyStatus::done:
    case door::ReplyStatus::refused:
    case door::ReplyStatus::forbidden: {
      const ByteView bytes = pool_.view(reply.bytes);
      answer_ = KvAnswer{.status = reply.status, .leader = {}, .bytes = {bytes.begin(), bytes.end()}};
      break;
    }
  }
  last_place_ = place;
  asked_.reset();
  failure_.clear();
}

void KvClient::lose() {
  was_lost_ = true;
  if (repeat_ == Repeat::always) {
    return turn_to(target_ + 1, pause_after_refusal);
  }
  answer_ = KvAnswer{.status = door::ReplyStatus::unknown_outcome, .leader = {}, .bytes = {}};
  asked_.reset();
}

void KvClient::turn_to(std::size_t place, Duration pause) {
  asked_.reset();
  if (!local_) {
    target_ = place % seats_.size();
  }
  not_before_ = transport::EventLoop::now() + pause;
}

bool KvClient::knows_all_places() const {
  return std::ranges::all_of(seats_, [](const auto& seat) { return seat->replica().has_value(); });
}

std::optional<std::size_t> KvClient::place_of(ReplicaIndex replica) const {
  const auto found =
      std::ranges::find_if(seats_, [replica](const auto& seat) { return seat->replica() == replica; });
  return found == seats_.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(found - seats_.begin()));
}

}  // namespace mallard::cli
