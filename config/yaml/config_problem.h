// What is wrong with a configuration file, where, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mallard::config {

// A position in the file, both counted from 1; columns count characters. Line 0: the file as a whole.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend constexpr auto operator<=>(const Place&, const Place&) = default;
};

struct ConfigProblem {
  std::string file;
  Place place;
  std::string what;    // a phrase without a final stop
  std::string advice;  // what to do about it
};

// "file:line:column: what; what to do", without an end of line.
[[nodiscard]] std::string to_text(const ConfigProblem& problem);

// Collects problems of one file. It keeps the first problems_max and counts the others.
class ProblemList {
 public:
  static constexpr std::size_t problems_max = 200;

  explicit ProblemList(std::string file) : file_(std::move(file)) {}

  void add(Place place, std::string what, std::string advice);

  [[nodiscard]] bool empty() const { return problems_.empty(); }

  // All of them in the order of the file; the last one says how many were left out, if any were.
  [[nodiscard]] std::vector<ConfigProblem> take();

 private:
  std::string file_;
  std::vector<ConfigProblem> problems_;
  std::size_t left_out_ = 0;
};

}  // namespace mallard::config
