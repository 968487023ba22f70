// The page at / of the admin HTTP.
#pragma once

#include <string_view>

namespace mallard::transport {

// HTML with its style and script inside; asks for nothing but /status, once a second. Shows any JSON object:
// plain values as a list, lists of objects as tables.
[[nodiscard]] std::string_view live_page();

// What the browser is to allow the page: its own style and script, and requests to where it came from.
inline constexpr std::string_view live_page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

}  // namespace mallard::transport
