// What happened to the batches of one run, and the figures that follow.
//
// After a warm-up a stretch of batches is measured: how long so many deliveries take, and what the batches of
// the stretch cost until the last of them is delivered, and QUACKed where there are QUACKs.
#pragma once

#include <cstdint>
#include <vector>

#include "config/base/time.h"
#include "tests/sim/lab/parcel.h"
#include "tests/sim/lab/run_figures.h"
#include "tests/sim/lab/run_shape.h"

namespace mallard::lab {

class Tally {
 public:
  Tally(const RunShape& shape, std::uint64_t window_batches);

  // A replica of the source takes a batch from its log.
  void committed(std::uint64_t batch, Instant now);
  // A replica of the destination has a batch.
  void delivered(std::size_t replica, std::uint64_t batch, Instant now);
  // A replica of the source knows everything up to `through` to be delivered.
  void quacked(std::size_t replica, std::uint64_t through, Instant now);
  // A batch leaves its cluster.
  void crossed(const Parcel& parcel);
  void spent(std::uint64_t processor_ns) { spent_ns_ += processor_ns; }
  // Nothing is measured before this.
  void not_before(Instant at) { measure_from_ = at; }

  // Everything up to here is delivered.
  [[nodiscard]] std::uint64_t prefix() const { return prefix_; }
  [[nodiscard]] bool half_warm() const { return done_ >= warm_up_ / 2; }
  [[nodiscard]] bool finished() const;
  // What is known at the end; the rest is the caller's.
  [[nodiscard]] RunFigures figures(Instant now);

 private:
  struct Record {
    Instant committed;
    std::uint64_t held_by = 0;  // bit per replica of the destination
    bool done = false;
  };

  [[nodiscard]] bool faulty_receiver(std::size_t replica) const;
  [[nodiscard]] std::uint64_t needed_for(std::uint64_t batch) const;
  [[nodiscard]] bool measures(std::uint64_t batch) const {
    return first_ != 0 && batch >= first_ && batch < first_ + measured_;
  }
  Record& record(std::uint64_t batch);
  void advance();

  const RunShape& shape_;
  std::uint64_t warm_up_;   // deliveries before the measurement
  std::uint64_t measured_;  // how many batches are measured
  std::uint64_t correct_receivers_ = 0;
  Instant measure_from_;

  std::vector<Record> records_;
  std::vector<std::uint64_t> quacked_;  // by replica of the source
  std::uint64_t newest_ = 0;            // committed anywhere
  std::uint64_t prefix_ = 0;
  std::uint64_t done_ = 0;  // delivered
  std::uint64_t spent_ns_ = 0;

  std::uint64_t first_ = 0;  // the first batch that is measured; 0: not yet
  Instant started_;
  Instant ended_ = Instant::never();
  std::uint64_t done_before_ = 0;
  std::uint64_t spent_before_ = 0;
  std::uint64_t spent_after_ = 0;
  std::uint64_t passed_ = 0;   // measured batches that are delivered or never can be
  std::uint64_t counted_ = 0;  // of these, delivered
  std::uint64_t copies_ = 0;
  std::uint64_t resends_ = 0;
  std::uint64_t head_bytes_ = 0;
  std::vector<double> delivery_ms_;
  std::vector<double> quack_ms_;
};

}  // namespace mallard::lab
