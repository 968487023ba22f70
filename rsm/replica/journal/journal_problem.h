// Why a journal cannot be used, or cannot be used any longer.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "config/base/result.h"
#include "rsm/replica/journal/disk.h"

namespace mallard::rsm::journal {

enum class JournalFault : std::uint8_t {
  machine,   // a system call failed: the process ends, and the next one reads from the disk again
  occupied,  // another process works in the directory
  damaged,   // the store says nothing about itself any more: to be moved away, the replica rejoins as new
  settings,  // the settings contradict themselves or what is stored
};

struct JournalError {
  JournalFault fault = JournalFault::machine;
  std::string what;    // a sentence without a final stop
  std::string advice;  // a phrase without a final stop
};

template <class T>
using JournalResult = Result<T, JournalError>;

// `file`: the one that the failed call was for; `.` stands for the directory.
[[nodiscard]] JournalError machine_error(const DiskError& error, const FileName& file);

// The same result, with the error in words.
template <class T>
[[nodiscard]] JournalResult<T> explained(const DiskResult<T>& result, const FileName& file) {
  if (!result) {
    return Failure<JournalError>(machine_error(result.error(), file));
  }
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *result;
  }
}

}  // namespace mallard::rsm::journal
