// The number of a process's life, kept in its directory.
#pragma once

#include <filesystem>
#include <string>

#include "config/base/ids.h"
#include "config/base/result.h"

namespace mallard::cli {

// Draws a number larger than in any earlier life in this directory, and makes it durable before it is used.
// It is also at least the wall clock's nanoseconds, so that a life whose directory was lost is newer too. The
// error is a sentence.
[[nodiscard]] Result<Incarnation, std::string> begin_incarnation(const std::filesystem::path& directory);

}  // namespace mallard::cli
