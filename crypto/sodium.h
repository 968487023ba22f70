// The start of libsodium, which every other call into it needs.
#pragma once

namespace mallard::crypto {

// Starts libsodium unless it has been started. Throws std::runtime_error when the machine has no random
// source.
void start_sodium();

}  // namespace mallard::crypto
