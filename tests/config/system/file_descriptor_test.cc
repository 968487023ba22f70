#include "config/system/file_descriptor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mallard {
namespace {

TEST(FileDescriptor, is_closed_once) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  FileDescriptor first(ends[0]);
  FileDescriptor moved(std::move(first));
  EXPECT_EQ(moved.number(), ends[0]);
  moved = FileDescriptor(ends[1]);
  char byte = 0;
  EXPECT_EQ(::recv(ends[1], &byte, 1, MSG_DONTWAIT), 0) << "the other end was closed";
  EXPECT_EQ(moved.release(), ends[1]);
  EXPECT_EQ(moved.number(), -1);
  ::close(ends[1]);
}

}  // namespace
}  // namespace mallard
