// One-sided memory: what an algorithm may order of memory that another process owns, and what it may rely on.
//
// A domain is the memory of one process (a replica or a memory node). It is divided into regions, laid out
// alike in every process of a cluster. A link is one ordered way from a process to one domain. Works are
// posted to a link, carried out at the domain without its application taking part, and reported once.
//
// The contract, which every backend keeps and the conformance suite proves (research: "The Impact of RDMA on
// Agreement", PODC 2019, section 2; Mu, OSDI 2020; the InfiniBand specification's transport rules):
//   R1  Works of one link take effect in posting order; nothing is promised across links.
//   R2  The atomic unit is an aligned word of 8 bytes. A larger read may see any mixture of old and new
//       words.
//   R3  The words of one write become visible in any order. Whoever needs more carries a checksum.
//   R4  After `ok`, every later read on any link and every later acquire load of the owner sees the effect.
//   R5  `unknown` and `flushed` are ambiguous: the work took effect, wholly, in part or not at all, or still
//       will, but never after its link lives again (dead() is false after a reset). `fenced` means no effect.
//       After anything but `ok` the link is dead: every later work is flushed until reset().
//   R6  Grants and writes of a region have one order: a write that reported `ok` came before the next grant.
//   R7  When a regrant is done, no write under an older grant can ever take effect in the region that the new
//       holder, the readers and the owner see: posted, in flight, or by a process that is paused now and
//       resumes tomorrow.
//   R8  A link that was reset is a new incarnation: works of older ones are dropped.
//   R9  compare_swap on an aligned word is atomic against every other work, also of other links. The owner
//       uses a link to itself, not plain stores, on such words.
//   R10 The owner's application takes no part: while it is paused, its memory is still served. Only reads of
//       a region may wait while a regrant of that region is under way.
//   R11 The memory may outlive its process and may die alone: works then hang, they do not fail.
//   R12 Fixed access rights hold against arbitrary behaviour of the peer. (Grants need not: who may write a
//       granted region is taken to crash or to pause, not to lie.)
//   R13 No work is ever carried out twice; what is repeated inside a backend has the effect of once.
// R10 to R12, R9 and dynamic grants are capabilities: a backend that cannot keep one says so, and whoever
// needs it refuses to start.
//
// Memory is zero when its domain begins. A domain that ends and begins anew (its process restarted) is
// another memory: links to it die, its grants are gone, and their numbers go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/invariant.h"

namespace mallard::memory {

// A process as memory sees it: its place in the list of all who share memory (replicas first, then memory
// nodes), below processes_max.
using ProcessIndex = StrongId<struct ProcessIndexTag, std::uint16_t>;
inline constexpr std::size_t processes_max = 64;
// A region's place in the layout, the same for every domain.
using RegionIndex = StrongId<struct RegionIndexTag, std::uint16_t>;
// Grants of a region are numbered by its domain: a later one is greater, also across restarts of the domain's
// process. 0: none. What else the number encodes is the backend's.
using GrantNumber = StrongId<struct GrantNumberTag, std::uint64_t>;
// Chosen by whoever posts; comes back with the completion.
using WorkId = StrongId<struct WorkIdTag, std::uint64_t>;
// A set of processes, bit i for process i.
using ProcessSet = std::uint64_t;

inline constexpr std::size_t word_bytes = 8;
inline constexpr std::size_t regions_max = 64;                 // per layout
inline constexpr std::uint64_t region_bytes_max = 1ULL << 30;  // per region

enum class WorkKind : std::uint8_t { write, read, compare_swap };

// One order to a link. Offsets and sizes are multiples of word_bytes, sizes are not 0, and all lies within
// the region, else it is refused as `fenced`.
struct Work {
  WorkId id;
  WorkKind kind = WorkKind::write;
  // An unsignaled work that succeeds is not reported; the next signaled one of its link that is reported ok
  // covers it; until then it keeps its place among the unreported ones, so one of any queue_depth() works in
  // a row must be signaled. Failures are always reported.
  bool signaled = true;
  RegionIndex region;
  GrantNumber grant;         // under which a granted region is written; 0 elsewhere
  std::uint64_t offset = 0;  // bytes
  // write: borrowed until the work is reported, or only for the call when it is at most
  // Capabilities::inline_bytes long.
  ByteView source;
  // read: filled when the work is reported ok; until it is reported or flushed it belongs to the link.
  ByteSpan destination;
  // compare_swap
  std::uint64_t expected = 0;
  std::uint64_t desired = 0;
};

enum class WorkStatus : std::uint8_t {
  ok,
  fenced,   // refused for lack of a right or a grant, or out of bounds: not applied
  unknown,  // failed on its way: applied or not
  flushed,  // the link was dead or was reset: applied or not
};

struct WorkDone {
  WorkId id;
  WorkStatus status = WorkStatus::ok;
  std::uint64_t previous = 0;  // compare_swap: the word before; it was swapped when this equals `expected`
};

// Who may do what with a region.
struct RegionLayout {
  std::uint64_t bytes = 0;  // a multiple of 64, at least 64, at most region_bytes_max
  ProcessSet readers = 0;
  ProcessSet writers = 0;  // fixed rights; the owner always has them, and who may write may read
  // One process at a time may write it, whoever holds the newest grant; `writers` is then 0, and before the
  // first grant nobody may. Readers are as above; the holder of the grant may read.
  bool granted = false;
  friend constexpr bool operator==(const RegionLayout&, const RegionLayout&) = default;
};

struct Capabilities {
  bool compare_swap = false;            // R9
  bool dynamic_grants = false;          // R6 and R7
  bool independent_of_process = false;  // R10
  bool survives_process = false;        // R11
  bool enforced_rights = false;         // R12
  std::size_t inline_bytes = 0;         // writes up to this size are copied when posted
  friend constexpr bool operator==(const Capabilities&, const Capabilities&) = default;
};

// One ordered way to one domain. Used by one thread; a process's link to itself by the thread of its domain.
// A link begins as if it had just been reset.
class Link {
 public:
  virtual ~Link() = default;

  // Posts all of them, in order, or none: false when there is no room for so many (at most queue_depth() may
  // be unreported; a backend may also lack room for their bytes). Posting to a dead link reports them
  // flushed, each of them, signaled or not.
  [[nodiscard]] virtual bool post(std::span<const Work> chain) = 0;
  // Takes reports, in posting order; returns how many were written. It also does what the link has to do
  // besides, like finding its domain: call it now and then even when nothing is unreported.
  [[nodiscard]] virtual std::size_t poll(std::span<WorkDone> reports) = 0;
  [[nodiscard]] virtual std::size_t queue_depth() const = 0;
  // What this link and the domain behind it keep. Nothing beyond the first lines of this file while the link
  // has not yet reached its domain.
  [[nodiscard]] virtual Capabilities capabilities() const = 0;
  [[nodiscard]] virtual bool dead() const = 0;
  // Flushes what is unreported, and starts a new incarnation once the domain can be reached; dead() until
  // then. Returns at once.
  virtual void reset() = 0;
};

// The bytes of a granted region that a regrant must carry over; the rest becomes zero, stays or goes back to
// what it once was, as the backend likes. Multiples of word_bytes. Wraps around the region's end when offset
// + bytes is beyond it.
struct LiveRange {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// The owner's side of its own memory. Used by one thread.
class Domain {
 public:
  virtual ~Domain() = default;

  // The region as the owner sees it now. Valid until its next regrant is done; others write it at any time,
  // so single words are loaded with load_word and larger things copied before they are checked.
  [[nodiscard]] virtual ByteSpan bytes(RegionIndex region) = 0;
  // Takes the right to write from whoever has it and gives it to `writer`. One regrant of a region at a time:
  // the caller waits until granted() is not 0. `live.bytes` is at most the region's.
  virtual void regrant(RegionIndex region, ProcessIndex writer, LiveRange live) = 0;
  // The number under which the writer of the newest finished regrant writes; 0 before the first and while one
  // is under way. It is the caller's task to tell the writer. Drives the regrant forward: call it until it is
  // not 0.
  [[nodiscard]] virtual GrantNumber granted(RegionIndex region) = 0;
};

// Acquire and release access to one word that others read or write at the same time. `offset` is a multiple
// of word_bytes and the word lies within `bytes`. (std::atomic_ref of C++20 cannot read through const.)
[[nodiscard]] inline std::uint64_t load_word(ByteView bytes, std::uint64_t offset) {
  MALLARD_INVARIANT(offset % word_bytes == 0 && offset < bytes.size() && bytes.size() - offset >= word_bytes);
  return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(bytes.data() + offset), __ATOMIC_ACQUIRE);
}
inline void store_word(ByteSpan bytes, std::uint64_t offset, std::uint64_t value) {
  MALLARD_INVARIANT(offset % word_bytes == 0 && offset < bytes.size() && bytes.size() - offset >= word_bytes);
  __atomic_store_n(reinterpret_cast<std::uint64_t*>(bytes.data() + offset), value, __ATOMIC_RELEASE);
}

}  // namespace mallard::memory
