// Golden stories: tests as text files of commands and what they must answer (the idea of etcd-raft's
// testdata).
//
//   # Four equal replicas, one of which may be faulty: a QUACK needs two acks.
//   cluster stakes=1,1,1,1 quorum=2
//   ----
//   ok
//
//   ack from=0 through=9
//   ----
//   quack=0
//
// A block is a command line, more lines of input if the command takes any, a line `----`, and the expected
// answer up to the next empty line. Lines that start with `#` between blocks tell the story. With
// MALLARD_REWRITE=1 in the environment the answers are written into the file, and the difference is read by a
// person.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mallard::support {

// What the author of a story got wrong: an unknown command, a missing or malformed argument. Thrown by the
// accessors below and by the callbacks of tests; reported as a failure at the command's line.
class StoryError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One command of a story. Arguments are `key=value` or a bare `key` (with an empty value), separated by
// blanks. An argument that the callback never asks for is a failure: otherwise a misspelt one would test
// nothing.
class StoryCommand {
 public:
  // Parses a command line; throws StoryError if it is empty or names a key twice.
  StoryCommand(std::string_view line, std::string input, int line_number);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // The lines between the command line and `----`, each with its newline.
  [[nodiscard]] const std::string& input() const noexcept { return input_; }
  // Line of the command in its file, from 1.
  [[nodiscard]] int line_number() const noexcept { return line_number_; }

  [[nodiscard]] bool has(std::string_view key) const;
  // The value of an argument; throws StoryError if it is missing.
  [[nodiscard]] const std::string& text(std::string_view key) const;
  // The value as an unsigned decimal number.
  [[nodiscard]] std::uint64_t number(std::string_view key) const;
  [[nodiscard]] std::uint64_t number_or(std::string_view key, std::uint64_t otherwise) const;
  // The value as numbers separated by commas; the empty value is the empty list.
  [[nodiscard]] std::vector<std::uint64_t> numbers(std::string_view key) const;

  // Keys that nobody has asked for yet.
  [[nodiscard]] std::vector<std::string> unused() const;

 private:
  struct Argument {
    std::string key;
    std::string value;
    mutable bool used = false;
  };
  [[nodiscard]] const Argument* find(std::string_view key) const;

  std::string name_;
  std::string input_;
  int line_number_;
  std::vector<Argument> arguments_;
};

// Carries out one command and returns its answer: lines, none of them empty. The last newline is optional.
using StoryCallback = std::function<std::string(const StoryCommand&)>;

// What a story's play came to.
struct StoryOutcome {
  struct Failure {
    int line_number;
    std::string what;
  };
  // The story with the answers that were given instead of the expected ones.
  std::string rewritten;
  // Answers that differ, and errors of the story itself.
  std::vector<Failure> failures;
  // Commands played.
  int commands = 0;
};

// Plays a story given as text. A story without commands is a failure: it could not fail otherwise.
[[nodiscard]] StoryOutcome play_story(std::string_view text, const StoryCallback& callback);

// Plays a story file within a GoogleTest test and reports each failure at its line in the file. `path` counts
// from the root of the repository, which is the working directory of every test:
// "tests/bridge/core/testdata/x.txt".
void run_story(const std::string& path, const StoryCallback& callback);

}  // namespace mallard::support
