#include "transport/channel/listen_host.h"

#include <arpa/inet.h>

#include <array>

namespace mallard::transport {

std::string listen_host(std::string_view host) {
  std::string dialed(host);
  if (dialed == "127.0.0.1" || dialed == "::1") {
    return dialed;
  }
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (::inet_pton(AF_INET, dialed.c_str(), ignored.data()) == 1) {
    return "0.0.0.0";
  }
  return ::inet_pton(AF_INET6, dialed.c_str(), ignored.data()) == 1 ? "::" : std::string(every_address);
}

}  // namespace mallard::transport
