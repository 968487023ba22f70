#include "tests/sim/lab/tally.h"

#include <algorithm>
#include <optional>

#include "cli/bench/percentile.h"

namespace mallard::lab {

namespace {

constexpr std::uint64_t warm_up_batches_min = 100;

double milliseconds(Duration span) { return static_cast<double>(span.ns) / 1e6; }

std::optional<double> rank(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? std::nullopt : std::optional<double>(cli::percentile(sorted, share));
}

}  // namespace

Tally::Tally(const RunShape& shape, std::uint64_t window_batches)
    : shape_(shape),
      warm_up_(std::max(warm_up_batches_min, 2 * window_batches)),
      measured_(shape.measured_batches > 0
                    ? shape.measured_batches
                    : std::max(measured_batches_min, measured_windows_min * window_batches)),
      quacked_(shape.from) {
  for (std::size_t i = 0; i < shape_.to; ++i) {
    correct_receivers_ |= faulty_receiver(i) ? 0 : std::uint64_t{1} << i;
  }
}

bool Tally::faulty_receiver(std::size_t replica) const {
  return shape_.destination_crashes(replica) || shape_.destination_misbehaves(replica);
}

// Who must have a batch before it counts: every correct replica of the destination, for one-shot the one that
// it is sent to. Nobody, if a faulty one stands in the way of one-shot: such a batch never counts.
std::uint64_t Tally::needed_for(std::uint64_t batch) const {
  if (shape_.strategy != Strategy::one_shot) {
    return correct_receivers_;
  }
  const std::size_t sender = batch % shape_.from;
  const bool sent = !shape_.source_crashes(sender) && !shape_.source_misbehaves(sender);
  return sent ? correct_receivers_ & (std::uint64_t{1} << (sender % shape_.to)) : 0;
}

Tally::Record& Tally::record(std::uint64_t batch) {
  if (records_.size() < batch) {
    records_.resize(batch);
  }
  return records_[batch - 1];
}

void Tally::committed(std::uint64_t batch, Instant now) {
  if (batch <= newest_) {
    return;
  }
  newest_ = batch;
  record(batch).committed = now;
  if (needed_for(batch) == 0) {
    record(batch).done = true;
    passed_ += measures(batch) ? 1U : 0U;
    advance();
  }
}

void Tally::delivered(std::size_t replica, std::uint64_t batch, Instant now) {
  Record& its = record(batch);
  its.held_by |= std::uint64_t{1} << replica;
  const std::uint64_t needed = needed_for(batch);
  if (its.done || (its.held_by & needed) != needed) {
    return;
  }
  its.done = true;
  ++done_;
  if (measures(batch)) {
    ++passed_;
    ++counted_;
    delivery_ms_.push_back(milliseconds(now - its.committed));
  }
  if (first_ != 0 && ended_ == Instant::never() && done_ - done_before_ >= measured_) {
    ended_ = now;
    spent_after_ = spent_ns_;
  }
  if (first_ == 0 && done_ >= warm_up_ && now >= measure_from_) {
    first_ = newest_ + 1;
    started_ = now;
    done_before_ = done_;
    spent_before_ = spent_ns_;
  }
  advance();
}

void Tally::advance() {
  while (prefix_ < records_.size() && records_[prefix_].done) {
    ++prefix_;
  }
}

void Tally::quacked(std::size_t replica, std::uint64_t through, Instant now) {
  const std::uint64_t end = std::min(through, newest_);
  for (std::uint64_t batch = quacked_[replica] + 1; batch <= end; ++batch) {
    if (measures(batch)) {
      quack_ms_.push_back(milliseconds(now - records_[batch - 1].committed));
    }
  }
  quacked_[replica] = std::max(quacked_[replica], through);
}

void Tally::crossed(const Parcel& parcel) {
  if (measures(parcel.batch)) {
    ++copies_;
    resends_ += parcel.resend ? 1U : 0U;
    head_bytes_ += parcel.head_bytes;
  }
}

bool Tally::finished() const {
  if (first_ == 0 || ended_ == Instant::never() || passed_ < measured_) {
    return false;
  }
  for (std::size_t i = 0; i < shape_.from; ++i) {
    const bool faulty = shape_.source_crashes(i) || shape_.source_misbehaves(i);
    if (shape_.strategy == Strategy::picsou && !faulty && quacked_[i] + 1 < first_ + measured_) {
      return false;
    }
  }
  return true;
}

RunFigures Tally::figures(Instant now) {
  RunFigures its;
  its.problem = finished() ? "" : "not everything was delivered in time";
  const Instant end = std::min(ended_, now);
  const std::uint64_t done = first_ == 0 ? 0 : std::min(done_ - done_before_, measured_);
  if (done == 0 || end <= started_) {
    return its;
  }
  const double messages = static_cast<double>(done) * shape_.batch_messages();
  its.messages_per_second = messages * 1e9 / static_cast<double>((end - started_).ns);
  const std::uint64_t spent = (ended_ == Instant::never() ? spent_ns_ : spent_after_) - spent_before_;
  its.cpu_ns_per_message = static_cast<double>(spent) / messages;
  const auto batches = static_cast<double>(std::max<std::uint64_t>(1, counted_));
  its.copies_per_message = static_cast<double>(copies_) / batches;
  its.resends_per_message = static_cast<double>(resends_) / batches;
  its.header_bytes_per_message = static_cast<double>(head_bytes_) / batches / shape_.batch_messages();
  std::sort(delivery_ms_.begin(), delivery_ms_.end());
  std::sort(quack_ms_.begin(), quack_ms_.end());
  its.delivery_ms_p50 = rank(delivery_ms_, 0.5);
  its.delivery_ms_p99 = rank(delivery_ms_, 0.99);
  its.quack_ms_p50 = rank(quack_ms_, 0.5);
  its.quack_ms_p99 = rank(quack_ms_, 0.99);
  return its;
}

}  // namespace mallard::lab
