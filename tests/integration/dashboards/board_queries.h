// The queries of a Grafana board and of alert rules, as Prometheus is to be asked them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mallard::integration {

struct BoardQuery {
  std::string where;       // the panel's title, or `variable NAME`
  std::string expression;  // PromQL, without variables
};

// All queries of the board in this JSON text, its variables' included. Every choice stands at "All", and the
// intervals that Grafana would put in are `interval`, such as 20s. Throws std::runtime_error where it is not
// a board, or a panel that shows data has no query or no title, or a variable is not known.
[[nodiscard]] std::vector<BoardQuery> board_queries(std::string_view json, const std::string& interval);

// The series that a query of a rule looks at: each name with its matchers, without ranges and functions.
// Names are those that begin with `mallard_`, and `up`.
[[nodiscard]] std::vector<std::string> selectors_of(std::string_view expression);

}  // namespace mallard::integration
