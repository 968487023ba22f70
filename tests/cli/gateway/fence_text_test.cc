#include "cli/gateway/fence_text.h"

#include <gtest/gtest.h>

namespace mallard::cli {
namespace {

TEST(FenceText, says_what_happened_and_what_to_do) {
  config::Pairing pairing;
  for (const char* name : {"east", "west"}) {
    pairing.clusters.emplace_back().name = name;
  }
  config::LinkSettings link;
  link.name = "east-west";
  link.from = ClusterIndex(0);
  link.to = ClusterIndex(1);
  pairing.links.push_back(link);
  const FenceLine fenced =
      fence_line(pairing, {.link = LinkIndex(0), .fenced = true, .ordered = Fence(3), .raised = Fence(4)});
  EXPECT_EQ(
      fenced.what,
      "link east-west is fenced: it waits for a decision: west was promoted to fence 4, and refuses what "
      "east sends under fence 3");
  EXPECT_EQ(fenced.advice,
            "to let east write to west again: restart a gateway of west; else stop the gateways of east");
  const FenceLine over =
      fence_line(pairing, {.link = LinkIndex(0), .fenced = false, .ordered = Fence(3), .raised = Fence(4)});
  EXPECT_EQ(over.what, "link east-west is no longer fenced: west applies it under fence 4");
}

}  // namespace
}  // namespace mallard::cli
