// The codec inside the loop: what a correct gateway sends, decoded and written again by another writer, gives
// the same bytes.
#include "tests/sim/checkers/checkers.h"
#include "tests/sim/frame_image.h"

namespace mallard::sim {
namespace {

class FramesCanonical final : public Checker {
 public:
  using Checker::Checker;

  void on_sent(const Passage& passage) override {
    if (passage.from.byzantine) {
      return;
    }
    write_image(passage.frame, image_);
    if (!std::equal(image_.begin(), image_.end(), passage.head.begin(), passage.head.end())) {
      fail("a frame decodes to something that is written differently");
    }
  }

 private:
  std::vector<std::byte> image_;
};

}  // namespace

CheckerPointer make_frames_canonical(Stage& stage, const Replicas& replicas) {
  return std::make_unique<FramesCanonical>(stage, replicas, "frames_canonical");
}

}  // namespace mallard::sim
