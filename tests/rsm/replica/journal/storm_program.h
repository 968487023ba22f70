// What the programs that run storms share: [--seeds N] [--first SEED] [--stop-at-first], and a line
// `FAIL seed=S checker=NAME ...` for each storm that fails.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace mallard::rsm {

struct StormProgram {
  StormProgram(const std::string& title, std::uint64_t usual_seeds) : app(title), seeds(usual_seeds) {
    app.add_option("--seeds", seeds, "How many");
    app.add_option("--first", first, "The first of them");
    app.add_flag("--stop-at-first", stop_at_first, "End with the first failure");
  }
  template <class Storm>
  void run(Storm storm) {
    for (std::uint64_t seed = first; seed < first + seeds && !is_over(); ++seed) storm(seed);
  }
  // `storm`: which one, its seed first. Nothing is wrong where `checker` is empty.
  void judge(std::string_view storm, std::string_view checker, std::string_view what) {
    if (checker.empty()) return;
    ++failures;
    fmt::print("FAIL seed={} checker={} {}\n", storm, checker, what);
  }
  void judge(std::uint64_t seed, std::string_view checker, std::string_view what) {
    judge(std::to_string(seed), checker, what);
  }
  [[nodiscard]] bool is_over() const { return stop_at_first && failures != 0; }
  [[nodiscard]] int exit_status() const { return failures == 0 ? 0 : 1; }

  CLI::App app;
  std::uint64_t first = 1;
  std::uint64_t seeds;
  bool stop_at_first = false;
  std::uint64_t failures = 0;
};

}  // namespace mallard::rsm
