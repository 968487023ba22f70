#include "cli/incarnation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <system_error>

#include "bridge/attach/file/file_calls.h"

namespace mallard::cli {
namespace {

namespace file = bridge::file;

Failure<std::string> failure(const std::filesystem::path& path) {
  return Failure<std::string>(
      fmt::format("{}: cannot be written: {}", path.string(), std::generic_category().message(errno)));
}

std::uint64_t clock_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace

Result<Incarnation, std::string> begin_incarnation(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "incarnation";
  const std::filesystem::path fresh = directory / "incarnation.new";
  std::uint64_t before = 0;
  if (std::ifstream in(path); in && !(in >> before)) {
    return Failure<std::string>(fmt::format("{}: does not hold a number; remove it", path.string()));
  }
  const std::uint64_t number = std::max(before + 1, clock_nanoseconds());
  const std::string text = fmt::format("{}\n", number);
  auto out = file::open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
  if (!out || ::write(out->number(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(out->number()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    return failure(path);
  }
  if (!file::sync_directory(directory)) {
    return failure(path);
  }
  return Incarnation(number);
}

}  // namespace mallard::cli
