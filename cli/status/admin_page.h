// Asks a process of this machine for one of its admin pages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/base/result.h"
#include "config/base/time.h"

namespace mallard::cli {

// The body of `http://address:port/path`, at most 8 MiB; `address` is an IPv4 or IPv6 address of this
// machine. The error is a phrase: why there is none (no connection, no answer within `patience`, a status
// other than 200).
[[nodiscard]] Result<std::string, std::string> fetch_page(std::uint16_t port, std::string_view path,
                                                          Duration patience,
                                                          const std::string& address = "127.0.0.1");

}  // namespace mallard::cli
