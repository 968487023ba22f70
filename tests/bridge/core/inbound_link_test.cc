#include "bridge/core/inbound_link.h"

#include <gtest/gtest.h>

#include "tests/bridge/core/core_story.h"

namespace mallard::bridge {
namespace {

class InboundLinkStory : public testing::TestWithParam<const char*> {};

TEST_P(InboundLinkStory, plays) {
  CoreStory story;
  support::run_story(std::string("tests/bridge/core/testdata/inbound_") + GetParam() + ".txt",
                     [&](const support::StoryCommand& command) { return story.play(command); });
}

INSTANTIATE_TEST_SUITE_P(Stories, InboundLinkStory,
                         testing::Values("certificates", "lost", "order", "phi", "pull", "pull_again",
                                         "retain", "room"));

}  // namespace
}  // namespace mallard::bridge
