// What the key-value machine holds and answers, for people to read.
#pragma once

#include <string>
#include <string_view>

#include "config/base/bytes.h"
#include "rsm/machine/kv_reply.h"

namespace mallard::cli {

// Text as it is, whatever its language. Of bytes that are no text, with control characters among them: eight
// of them are the number that `increment` keeps, printed in decimal; of others each control character and
// backslash is written as \xNN, so that a line stays a line.
[[nodiscard]] std::string readable(ByteView bytes);

// Why a request was not executed, and what to do about it where something can be done.
[[nodiscard]] std::string_view explanation(rsm::KvStatus status);

}  // namespace mallard::cli
