// Why the files of an attachment cannot be used, or cannot be used any longer.
#pragma once

#include <cstdint>
#include <string>

namespace mallard::bridge::file {

enum class StorageFault : std::uint8_t {
  machine,   // a system call failed: the disk is full or broken, or rights are missing
  damaged,   // bytes that were there once have changed, or are another log's
  occupied,  // another process works in the directory
};

struct StorageProblem {
  StorageFault fault = StorageFault::machine;
  std::string what;    // begins with the path
  std::string advice;  // a phrase without a final stop
};

}  // namespace mallard::bridge::file
