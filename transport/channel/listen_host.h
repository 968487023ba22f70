// Which of its addresses a process listens on, given the one under which others reach it.
#pragma once

#include <string>
#include <string_view>

namespace mallard::transport {

// All addresses of this machine: IPv6 and IPv4, or IPv4 alone where the machine knows no IPv6.
inline constexpr std::string_view every_address = "*";

// `host`: what others dial, an address or a name. A loopback address 127.0.0.1 or ::1 is listened on as it
// is, for then the others are on this machine too. Else the process listens on all addresses of the same
// family, since the address that others dial may be translated on the way; for a name, which may mean either
// family, on every address.
[[nodiscard]] std::string listen_host(std::string_view host);

}  // namespace mallard::transport
