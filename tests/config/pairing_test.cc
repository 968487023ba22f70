#include "config/pairing.h"

#include <gtest/gtest.h>

#include "config/base/limits.h"

namespace mallard::config {
namespace {

// Documented numbers that people put into firewalls and alerts.
TEST(Pairing, DefaultsAreTheDocumentedOnes) {
  EXPECT_EQ(ReplicaPorts{}, (ReplicaPorts{.bridge = 7800,
                                          .local = 7801,
                                          .clients = 7802,
                                          .admin = 9780,
                                          .replica_admin = 9781,
                                          .replicas = 7803}));
  EXPECT_EQ(WindowSettings{}, (WindowSettings{.messages = 4096, .bytes = 67'108'864}));
  EXPECT_EQ(ReplicaSettings{}.stake, 1U);
  EXPECT_EQ(ReplicaSettings{}.admin_address, "127.0.0.1");
}

TEST(Pairing, TheDefaultWindowHoldsALargestBatch) {
  EXPECT_GE(WindowSettings{}.bytes, batch_bytes_max);
  EXPECT_GE(WindowSettings{}.messages, batch_messages_max);
}

}  // namespace
}  // namespace mallard::config
