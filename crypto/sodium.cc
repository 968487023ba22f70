#include "crypto/sodium.h"

#include <sodium.h>

#include <stdexcept>

namespace mallard::crypto {

void start_sodium() {
  if (sodium_init() < 0) {
    throw std::runtime_error("libsodium does not start: this machine has no source of random numbers");
  }
}

}  // namespace mallard::crypto
