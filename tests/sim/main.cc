// mallard_sim: runs the simulator from the command line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "tests/sim/campaign.h"
#include "tests/sim/shrink.h"

namespace mallard::sim {
namespace {

constexpr std::uint64_t shrink_runs_max = 400;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

// Runs one world and says all about it. `seed` is for the failure's line only.
bool show(std::uint64_t seed, Choices& for_options, Choices& choices, const Reduction& reduction,
          const std::string& story_path) {
  const File story(story_path.empty() ? nullptr : std::fopen(story_path.c_str(), "w"));
  fmt::print("{}", draw_reduced(for_options, reduction).describe());
  Marks marks;
  const Outcome outcome = run_world(choices, reduction, marks, story.get());
  fmt::print("seed {}: {} events in {} ms, {} batches, {} copies sent, {} lost, {} resends, digest {:016x}\n",
             seed, outcome.events, outcome.ended_at / millisecond, outcome.batches, outcome.batch_frames_sent,
             outcome.batch_frames_lost, outcome.resends, outcome.digest);
  for (std::size_t i = 0; i < mark_count; ++i) {
    if (marks.count(static_cast<Mark>(i)) != 0) {
      fmt::print("  {:<36} {:>10}\n", name_of(static_cast<Mark>(i)), marks.count(static_cast<Mark>(i)));
    }
  }
  if (!outcome.failure.checker.empty()) {
    print_failure(seed, outcome.failure);
  }
  return outcome.failure.checker.empty();
}

bool replay(std::uint64_t seed, const std::string& story_path) {
  Choices for_options(seed);
  Choices choices(seed);
  return show(seed, for_options, choices, {}, story_path);
}

bool replay_choices(const std::string& path, const std::string& story_path) {
  Reduction reduction;
  ChoiceTrace trace;
  if (!load_choices(path, reduction, trace)) {
    fmt::print(stderr, "mallard_sim: {} is not a file of choices\n", path);
    return false;
  }
  Choices for_options(trace);
  Choices choices(trace);
  return show(0, for_options, choices, reduction, story_path);
}

bool shrink_seed(std::uint64_t seed) {
  const std::optional<Shrunk> shrunk = shrink(seed, shrink_runs_max);
  if (!shrunk) {
    fmt::print("seed {} does not fail\n", seed);
    return true;
  }
  const std::string path = fmt::format("sim-{}.choices", seed);
  if (!save_choices(path, shrunk->reduction, shrunk->trace)) {
    fmt::print(stderr, "mallard_sim: cannot write {}\n", path);
  }
  print_failure(seed, shrunk->outcome.failure);
  fmt::print("{} events are left after {} runs; see them: mallard_sim --choices {} --trace story.txt\n",
             shrunk->outcome.events, shrunk->runs, path);
  return false;
}

void list_marks() {
  for (std::size_t i = 0; i < mark_count; ++i) {
    fmt::print("{}\n", name_of(static_cast<Mark>(i)));
  }
}

int run(int argc, char** argv) {
  CLI::App app(
      "Mallard's gateways in a simulated world of faults and liars; exits with 1 if a promise is broken");
  CampaignPlan plan;
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1U, campaign_jobs_max);
  plan.jobs = cores;
  std::uint64_t one = 0;
  std::string story;
  std::string choices;
  bool list = false;
  app.add_option("--seeds", plan.seeds, "how many worlds")
      ->check(CLI::Range(std::uint64_t{1}, campaign_seeds_max));
  app.add_option("--first", plan.first, "the first seed");
  app.add_option("--jobs", plan.jobs, "processes")->check(CLI::Range(1U, cores));
  app.add_option("--minutes", plan.minutes, "stop after these")->check(CLI::Range(1, 10'000));
  app.add_flag("--stop-at-first", plan.stop_at_first, "stop at the first failure");
  app.add_option("--trace", story, "with --replay or --choices: write the run's story to this file");
  const auto* replaying = app.add_option("--replay", one, "run this seed and say all about it");
  const auto* shrinking = app.add_option("--shrink", one, "make this failing seed's run smaller");
  const auto* from_file = app.add_option("--choices", choices, "run a file that --shrink wrote");
  const auto* listing = app.add_flag("--list", list, "list the marks");
  CLI11_PARSE(app, argc, argv);
  bool well = true;
  if (*listing) {
    list_marks();
  } else if (*replaying) {
    well = replay(one, story);
  } else if (*shrinking) {
    well = shrink_seed(one);
  } else if (*from_file) {
    well = replay_choices(choices, story);
  } else {
    plan.seeds = plan.minutes != 0 && app.count("--seeds") == 0 ? campaign_seeds_max : plan.seeds;
    well = run_campaign(plan);
  }
  return well ? 0 : 1;
}

}  // namespace
}  // namespace mallard::sim

int main(int argc, char** argv) { return mallard::sim::run(argc, argv); }
