#include "bridge/core/outbound_link.h"

#include <gtest/gtest.h>

#include "tests/bridge/core/core_story.h"

namespace mallard::bridge {
namespace {

class OutboundLinkStory : public testing::TestWithParam<const char*> {};

TEST_P(OutboundLinkStory, plays) {
  CoreStory story;
  support::run_story(std::string("tests/bridge/core/testdata/outbound_") + GetParam() + ".txt",
                     [&](const support::StoryCommand& command) { return story.play(command); });
}

INSTANTIATE_TEST_SUITE_P(Stories, OutboundLinkStory,
                         testing::Values("start", "rotation", "quack", "reset", "loss", "rounds", "windows",
                                         "weights"));

}  // namespace
}  // namespace mallard::bridge
