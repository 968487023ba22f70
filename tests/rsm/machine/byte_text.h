// Text as bytes and back, for tests whose keys and values are readable.
#pragma once

#include <string>
#include <string_view>

#include "config/base/bytes.h"

namespace mallard::rsm {

inline ByteView bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string text(ByteView view) {
  const void* characters = view.data();
  return view.empty() ? std::string() : std::string(static_cast<const char*>(characters), view.size());
}

}  // namespace mallard::rsm
