#include "config/system/file_descriptor.h"

#include <unistd.h>

namespace mallard {

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) {
    ::close(number_);
  }
}

}  // namespace mallard
