#include "tests/support/datadriven.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mallard::support {

namespace {

constexpr std::string_view separator = "----";

std::vector<std::string_view> split(std::string_view text, char delimiter) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(delimiter), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::uint64_t parse_number(std::string_view text, std::string_view key) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw StoryError(std::string(key) + "=" + std::string(text) + " is not a number");
  }
  return value;
}

// Walks over the lines of a story.
class StoryLines {
 public:
  explicit StoryLines(std::string_view text) : lines_(split(text, '\n')) {}

  [[nodiscard]] bool at_end() const { return next_ == lines_.size(); }
  [[nodiscard]] std::string_view peek() const { return lines_[next_]; }
  std::string_view take() { return lines_[next_++]; }
  // Number, from 1, of the line that take() returned last.
  [[nodiscard]] int line_number() const { return static_cast<int>(next_); }

 private:
  std::vector<std::string_view> lines_;
  std::size_t next_ = 0;
};

void append_line(std::string& text, std::string_view line) {
  text += line;
  text += '\n';
}

std::string answer_of(const StoryCommand& command, const StoryCallback& callback) {
  std::string answer = callback(command);
  const std::vector<std::string> unused = command.unused();
  if (!unused.empty()) throw StoryError("nobody asked for the argument " + unused.front());
  if (!answer.empty() && answer.back() != '\n') answer += '\n';
  if (answer.starts_with('\n') || answer.find("\n\n") != std::string::npos) {
    throw StoryError("the answer has an empty line, which would end it:\n" + answer);
  }
  return answer;
}

// Plays the block whose command line is next.
void play_block(StoryLines& lines, const StoryCallback& callback, StoryOutcome& outcome) {
  const std::string_view command_line = lines.take();
  const int line_number = lines.line_number();
  append_line(outcome.rewritten, command_line);
  std::string input;
  while (!lines.at_end() && lines.peek() != separator) append_line(input, lines.take());
  outcome.rewritten += input;
  if (lines.at_end()) {
    outcome.failures.push_back({line_number, "this command has no ----"});
    return;
  }
  append_line(outcome.rewritten, lines.take());
  std::string expected;
  while (!lines.at_end() && !lines.peek().empty()) append_line(expected, lines.take());
  ++outcome.commands;
  try {
    const StoryCommand command(command_line, input, line_number);
    const std::string answer = answer_of(command, callback);
    outcome.rewritten += answer;
    if (answer != expected) {
      outcome.failures.push_back({line_number, "expected:\n" + expected + "but got:\n" + answer});
    }
  } catch (const StoryError& error) {
    outcome.rewritten += expected;
    outcome.failures.push_back({line_number, error.what()});
  }
}

}  // namespace

StoryCommand::StoryCommand(std::string_view line, std::string input, int line_number)
    : input_(std::move(input)), line_number_(line_number) {
  for (const std::string_view word : split(line, ' ')) {
    if (word.empty()) continue;
    if (name_.empty()) {
      name_ = word;
      continue;
    }
    const std::size_t equals = std::min(word.find('='), word.size());
    Argument argument{std::string(word.substr(0, equals)),
                      std::string(word.substr(std::min(equals + 1, word.size())))};
    if (find(argument.key) != nullptr) throw StoryError("the argument " + argument.key + " is given twice");
    arguments_.push_back(std::move(argument));
  }
  if (name_.empty()) throw StoryError("a command line is empty");
}

const StoryCommand::Argument* StoryCommand::find(std::string_view key) const {
  for (const Argument& argument : arguments_) {
    if (argument.key == key) {
      argument.used = true;
      return &argument;
    }
  }
  return nullptr;
}

bool StoryCommand::has(std::string_view key) const { return find(key) != nullptr; }

const std::string& StoryCommand::text(std::string_view key) const {
  const Argument* argument = find(key);
  if (argument == nullptr) throw StoryError(name_ + " needs the argument " + std::string(key));
  return argument->value;
}

std::uint64_t StoryCommand::number(std::string_view key) const { return parse_number(text(key), key); }

std::uint64_t StoryCommand::number_or(std::string_view key, std::uint64_t otherwise) const {
  return has(key) ? number(key) : otherwise;
}

std::vector<std::uint64_t> StoryCommand::numbers(std::string_view key) const {
  std::vector<std::uint64_t> values;
  for (const std::string_view part : split(text(key), ',')) values.push_back(parse_number(part, key));
  return values;
}

std::vector<std::string> StoryCommand::unused() const {
  std::vector<std::string> keys;
  for (const Argument& argument : arguments_) {
    if (!argument.used) keys.push_back(argument.key);
  }
  return keys;
}

StoryOutcome play_story(std::string_view text, const StoryCallback& callback) {
  StoryOutcome outcome;
  StoryLines lines(text);
  while (!lines.at_end()) {
    if (lines.peek().empty() || lines.peek().front() == '#') {
      append_line(outcome.rewritten, lines.take());
    } else {
      play_block(lines, callback, outcome);
    }
  }
  if (outcome.commands == 0) outcome.failures.push_back({1, "the story has no command"});
  return outcome;
}

void run_story(const std::string& path, const StoryCallback& callback) {
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << "cannot read " << path << " (stories are found from the root of the repository)";
  std::stringstream text;
  text << file.rdbuf();
  const StoryOutcome outcome = play_story(text.str(), callback);
  const char* rewrite = std::getenv("MALLARD_REWRITE");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (rewrite != nullptr && std::string_view(rewrite) == "1" && outcome.rewritten != text.str()) {
    std::ofstream(path, std::ios::binary) << outcome.rewritten;
    GTEST_SKIP() << path << " was rewritten; read the difference and run again";
  }
  for (const StoryOutcome::Failure& failure : outcome.failures) {
    ADD_FAILURE_AT(path.c_str(), failure.line_number) << failure.what;
  }
}

}  // namespace mallard::support
