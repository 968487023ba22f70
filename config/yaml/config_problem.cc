#include "config/yaml/config_problem.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace mallard::config {

std::string to_text(const ConfigProblem& problem) {
  if (problem.place.line == 0) {
    return fmt::format("{}: {}; {}", problem.file, problem.what, problem.advice);
  }
  return fmt::format("{}:{}:{}: {}; {}", problem.file, problem.place.line, problem.place.column, problem.what,
                     problem.advice);
}

void ProblemList::add(Place place, std::string what, std::string advice) {
  if (problems_.size() == problems_max) {
    ++left_out_;
    return;
  }
  problems_.push_back({file_, place, std::move(what), std::move(advice)});
}

std::vector<ConfigProblem> ProblemList::take() {
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const ConfigProblem& a, const ConfigProblem& b) { return a.place < b.place; });
  if (left_out_ > 0) {
    problems_.push_back({file_,
                         {},
                         fmt::format("{} more problems", left_out_),
                         "repair the ones above first, then look again"});
  }
  return std::exchange(problems_, {});
}

}  // namespace mallard::config
