// Copies between private bytes and memory that other processes read and write at the same time, word by word
// (contract R2 and R3). Relaxed atomic accesses: no word is torn, and what races is no data race.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "config/contract/one_sided.h"

namespace mallard::memory {

// Everything before it is visible to all before anything after it is read or written (Dekker's fence).
// GCC's thread sanitizer refuses fences; a locked exchange has the same effect on the processor.
inline void full_fence() {
#ifdef __SANITIZE_THREAD__
  static std::atomic<std::uint32_t> place = 0;
  place.exchange(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

namespace words {

inline std::uint64_t* at(std::byte* shared) { return reinterpret_cast<std::uint64_t*>(shared); }
inline const std::uint64_t* at(const std::byte* shared) {
  return reinterpret_cast<const std::uint64_t*>(shared);
}

}  // namespace words

// `shared` is aligned to words and at least as long as the private side; lengths are multiples of word_bytes.
inline void copy_in(ByteSpan shared, ByteView from) {
  std::uint64_t* target = words::at(shared.data());
  for (std::size_t i = 0; i < from.size() / word_bytes; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, from.data() + i * word_bytes, word_bytes);
    __atomic_store_n(target + i, word, __ATOMIC_RELAXED);
  }
}

inline void copy_out(ByteSpan to, ByteView shared) {
  const std::uint64_t* source = words::at(shared.data());
  for (std::size_t i = 0; i < to.size() / word_bytes; ++i) {
    const std::uint64_t word = __atomic_load_n(source + i, __ATOMIC_RELAXED);
    std::memcpy(to.data() + i * word_bytes, &word, word_bytes);
  }
}

// Both sides shared; `from` is as long as `to` or longer.
inline void copy_shared(ByteSpan to, ByteView from) {
  std::uint64_t* target = words::at(to.data());
  const std::uint64_t* source = words::at(from.data());
  for (std::size_t i = 0; i < to.size() / word_bytes; ++i) {
    __atomic_store_n(target + i, __atomic_load_n(source + i, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
  }
}

// What the word was before.
inline std::uint64_t swap_word(ByteSpan shared, std::uint64_t offset, std::uint64_t expected,
                               std::uint64_t desired) {
  __atomic_compare_exchange_n(words::at(shared.data() + offset), &expected, desired, false, __ATOMIC_SEQ_CST,
                              __ATOMIC_SEQ_CST);
  return expected;
}

}  // namespace mallard::memory
