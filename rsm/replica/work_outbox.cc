#include "rsm/replica/work_outbox.h"

#include <span>

#include "config/base/invariant.h"

namespace mallard::rsm {

WorkOutbox::WorkOutbox(std::size_t depth) : words_(depth) { waiting_.reserve(depth); }

void WorkOutbox::add(const cft::Post& order, ByteView log, ByteSpan scratch) {
  MALLARD_INVARIANT(waiting_.size() < words_.size());
  memory::Work work;
  work.id = order.id;
  work.kind = order.kind;
  work.region = order.region;
  work.grant = order.grant;
  work.offset = order.offset;
  switch (order.source) {
    case cft::Post::Source::log:
      work.source = log.subspan(order.local_offset, order.bytes);
      break;
    case cft::Post::Source::words: {
      const ByteSpan words = words_[next_words_];
      next_words_ = (next_words_ + 1) % words_.size();
      ByteWriter writer(words);
      for (const std::uint64_t word : order.words) {
        writer.write(word);
      }
      work.source = ByteView(words).first(order.bytes);
      break;
    }
    case cft::Post::Source::card:
      work.source = ByteView(card_).first(order.bytes);
      break;
    case cft::Post::Source::none:
      work.destination = scratch.subspan(order.local_offset, order.bytes);
      break;
  }
  waiting_.push_back(work);
}

void WorkOutbox::flush(memory::Link& link) {
  if (waiting_.empty()) {
    return;
  }
  if (link.post(waiting_)) {
    waiting_.clear();
    return;
  }
  std::ptrdiff_t posted = 0;
  while (link.post(std::span(waiting_).subspan(static_cast<std::size_t>(posted), 1))) {
    ++posted;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + posted);
}

}  // namespace mallard::rsm
