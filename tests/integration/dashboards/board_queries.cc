#include "tests/integration/dashboards/board_queries.h"

#include <cctype>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace mallard::integration {
namespace {

using Json = nlohmann::json;

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// `choices` are the names of the board's own variables.
std::string settled(std::string expression, const std::vector<std::string>& choices,
                    const std::string& interval) {
  replace_all(expression, "$__rate_interval", interval);
  replace_all(expression, "$__range", interval);
  for (const std::string& choice : choices) replace_all(expression, "$" + choice, ".*");
  if (expression.find('$') != std::string::npos) {
    throw std::runtime_error("an unknown variable in " + expression);
  }
  return expression;
}

// label_values(SELECTOR, LABEL) as a query that has a series for each value.
std::string values_query(const std::string& definition) {
  constexpr std::string_view begin = "label_values(";
  const std::size_t comma = definition.rfind(", ");
  if (!definition.starts_with(begin) || !definition.ends_with(')') || comma == std::string::npos) {
    throw std::runtime_error("a variable that is not label_values(SERIES, LABEL): " + definition);
  }
  const std::string series = definition.substr(begin.size(), comma - begin.size());
  const std::string label = definition.substr(comma + 2, definition.size() - comma - 3);
  return "group by (" + label + ") (" + series + ")";
}

bool shows_data(const std::string& type) { return type != "row" && type != "text"; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::vector<BoardQuery> board_queries(std::string_view json, const std::string& interval) {
  const Json board = Json::parse(json, nullptr, false);
  if (board.is_discarded() || !board.contains("panels")) throw std::runtime_error("this is not a board");
  std::vector<BoardQuery> queries;
  std::vector<std::string> choices;
  for (const Json& variable : board.at("templating").at("list")) {
    if (variable.at("type") != "query") continue;
    const auto name = variable.at("name").get<std::string>();
    queries.push_back(
        {"variable " + name, settled(values_query(variable.at("definition")), choices, interval)});
    choices.push_back(name);
  }
  for (const Json& panel : board.at("panels")) {
    if (!shows_data(panel.at("type"))) continue;
    const auto title = panel.at("title").get<std::string>();
    const Json targets = panel.value("targets", Json::array());
    if (title.empty() || targets.empty())
      throw std::runtime_error("a panel without a title or a query: " + title);
    for (const Json& target : targets) {
      queries.push_back({title, settled(target.at("expr"), choices, interval)});
    }
  }
  return queries;
}

std::vector<std::string> selectors_of(std::string_view expression) {
  std::vector<std::string> selectors;
  bool is_quoted = false;
  for (std::size_t at = 0; at < expression.size(); ++at) {
    if (expression[at] == '"') is_quoted = !is_quoted;
    if (is_quoted || !is_word(expression[at])) continue;
    std::size_t end = at;
    while (end < expression.size() && is_word(expression[end])) ++end;
    const std::string_view name = expression.substr(at, end - at);
    if (name.starts_with("mallard_") || name == "up") {
      if (end < expression.size() && expression[end] == '{') end = expression.find('}', end) + 1;
      selectors.emplace_back(expression.substr(at, end - at));
    }
    at = end - 1;
  }
  return selectors;
}

}  // namespace mallard::integration
