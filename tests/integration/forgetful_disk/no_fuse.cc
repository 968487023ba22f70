// What is built in place of the power-cut tests where FUSE's headers are missing.
#include <cstdio>

int main() {
  std::puts("nothing was tested: libfuse3-dev was not installed when this was built");
  return 77;
}
