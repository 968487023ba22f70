// mallard_cft_explore: goes through every interleaving of a small cluster of the crash-tolerant engine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>

#include "tests/sim/cft/explorer.h"

namespace mallard::sim::cft {
namespace {

bool explore(const ExplorerBounds& bounds, CftMarks& marks) {
  const auto started = std::chrono::steady_clock::now();
  const Exploration found = Explorer(bounds, marks).run();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  constexpr std::array<const char*, 3> halves = {"whole", "in halves", "in halves both ways"};
  fmt::print(
      "{} commands, {} failed works, writes to replicas {:b} {}: {} states, {} steps, {} ends, depth {}, {} "
      "in {:.1f} s\n",
      bounds.commands, bounds.failed_works, bounds.stepwise,
      halves.at(static_cast<std::size_t>(bounds.halves)), found.states, found.steps, found.ends, found.depth,
      found.complete ? "complete" : "NOT COMPLETE", took);
  std::fflush(stdout);
  if (found.failure.checker.empty()) return found.complete;
  for (std::size_t i = 0; i < found.path.size(); ++i) fmt::print("  {:>4}  {}\n", i + 1, found.path[i]);
  fmt::print("FAIL checker={} {}\n", found.failure.checker, found.failure.detail);
  return false;
}

// What the exploration is for must have been met.
bool all_met(const CftMarks& marks) {
  bool all = true;
  for (const CftMark mark :
       {CftMark::leader_change, CftMark::log_fetched, CftMark::deposed_with_open_proposals,
        CftMark::write_fenced, CftMark::write_cut_by_regrant, CftMark::ambiguous_and_applied,
        CftMark::proposal_answered}) {
    fmt::print("  {:<28} {:>12}\n", name_of(mark), marks.count(mark));
    all = all && marks.count(mark) > 0;
  }
  if (!all) fmt::print("something that every campaign must meet was never met\n");
  return all;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Every interleaving of three replicas of Mallard's crash-tolerant engine, within bounds; exits with 1 "
      "if a "
      "promise is broken. Without options: the explorations of the gate");
  ExplorerBounds bounds;
  bool broken = false;
  app.add_option("--commands", bounds.commands, "how many commands are on their way")->capture_default_str();
  app.add_option("--failed-works", bounds.failed_works, "how many writes fail ambiguously")
      ->capture_default_str();
  app.add_option("--stepwise", bounds.stepwise, "to which replicas writes land in steps, a bit for each")
      ->capture_default_str();
  app.add_option("--halves", bounds.halves, "how writes to a log land")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Halves>{
          {"whole", Halves::whole}, {"upwards", Halves::upwards}, {"both-ways", Halves::both_ways}}));
  app.add_option("--states-max", bounds.states_max, "give up beyond so many");
  app.add_flag("--without-permissions", broken, "on a memory that lets everybody write: must fail");
  CLI11_PARSE(app, argc, argv);
  bounds.grants_enforced = !broken;
  CftMarks marks;
  if (argc > 1) return explore(bounds, marks) ? 0 : 1;
  for (const ExplorerBounds& one : gate_explorations) {
    if (!explore(one, marks)) return 1;
  }
  return all_met(marks) ? 0 : 1;
}

}  // namespace
}  // namespace mallard::sim::cft

int main(int argc, char** argv) { return mallard::sim::cft::run(argc, argv); }
