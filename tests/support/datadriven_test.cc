#include "tests/support/datadriven.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace mallard::support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string answer(const StoryCommand& command) {
  if (command.name() == "echo") return command.input();
  if (command.name() == "sum") {
    const std::vector<std::uint64_t> terms = command.numbers("of");
    const std::uint64_t sum = std::accumulate(terms.begin(), terms.end(), std::uint64_t{0});
    return std::to_string(command.has("doubled") ? 2 * sum : sum);
  }
  throw StoryError("no such command: " + command.name());
}

// The only failure of a story that must have exactly one.
StoryOutcome::Failure only_failure(std::string_view story) {
  const StoryOutcome outcome = play_story(story, answer);
  if (outcome.failures.size() != 1) return {-1, "the story does not have exactly one failure"};
  return outcome.failures.front();
}

TEST(Datadriven, a_story_file_plays) { run_story("tests/support/testdata/datadriven.txt", answer); }

TEST(Datadriven, a_wrong_answer_is_a_failure_at_its_line) {
  const auto failure = only_failure("# story\n\nsum of=1\n----\n1\n\nsum of=2\n----\n3\n");
  EXPECT_EQ(failure.line_number, 7);
  EXPECT_THAT(failure.what, HasSubstr("expected:\n3\nbut got:\n2\n"));
}

TEST(Datadriven, rewriting_keeps_all_but_the_answers) {
  const std::string wrong = "# why\nsum of=1,1\n----\n5\nand more\n\n\n# end\nsum of=4\n----\n4\n";
  const StoryOutcome first = play_story(wrong, answer);
  EXPECT_EQ(first.rewritten, "# why\nsum of=1,1\n----\n2\n\n\n# end\nsum of=4\n----\n4\n");
  const StoryOutcome second = play_story(first.rewritten, answer);
  EXPECT_TRUE(second.failures.empty());
  EXPECT_EQ(second.rewritten, first.rewritten);
}

TEST(Datadriven, mistakes_of_the_author_are_failures) {
  EXPECT_THAT(only_failure("").what, HasSubstr("no command"));
  EXPECT_THAT(only_failure("# only a comment\n").what, HasSubstr("no command"));
  EXPECT_THAT(only_failure("sum of=1\n----\n1\n\nsum of=2\n").what, HasSubstr("no ----"));
  EXPECT_THAT(only_failure("difference of=1\n----\n").what, HasSubstr("no such command"));
  EXPECT_THAT(only_failure("sum\n----\n").what, HasSubstr("needs the argument of"));
  EXPECT_THAT(only_failure("sum of=1,x\n----\n").what, HasSubstr("not a number"));
  EXPECT_THAT(only_failure("sum of=1 doubeld\n----\n1\n").what, HasSubstr("nobody asked for"));
  EXPECT_THAT(only_failure("sum of=1 of=2\n----\n1\n").what, HasSubstr("twice"));
}

TEST(Datadriven, an_answer_with_an_empty_line_is_refused) {
  const StoryOutcome outcome = play_story("say\n----\n", [](const StoryCommand&) { return "a\n\nb"; });
  ASSERT_EQ(outcome.failures.size(), 1U);
  EXPECT_THAT(outcome.failures.front().what, HasSubstr("empty line"));
}

TEST(Datadriven, arguments_are_read_by_key) {
  const StoryCommand command("ack  from=2 through=9 late ranges=1,3", "body\n", 12);
  EXPECT_EQ(command.name(), "ack");
  EXPECT_EQ(command.input(), "body\n");
  EXPECT_EQ(command.line_number(), 12);
  EXPECT_EQ(command.number("from"), 2U);
  EXPECT_EQ(command.number_or("absent", 5), 5U);
  EXPECT_THAT(command.numbers("ranges"), ElementsAre(1U, 3U));
  EXPECT_THAT(command.unused(), ElementsAre("through", "late"));
  EXPECT_FALSE(command.has("absent"));
  EXPECT_THROW(static_cast<void>(command.text("absent")), StoryError);
}

}  // namespace
}  // namespace mallard::support
