// What is said of inbound links when the cluster was promoted: the state `fenced` in words.
#pragma once

#include <string>

#include "bridge/attach/built_in/built_in_attachment.h"
#include "config/pairing.h"

namespace mallard::cli {

// What a link in the state waits for, `ordered` being the fence of its orders and `raised` the cluster's. Of
// an inbound link of the pairing, as the rest here.
[[nodiscard]] std::string fenced_waiting_for(const config::Pairing& pairing, LinkIndex link, Fence ordered,
                                             Fence raised);
// What an operator does about it.
[[nodiscard]] std::string fenced_next_step(const config::Pairing& pairing, LinkIndex link);

// The log's line: what happened, and what to do.
struct FenceLine {
  std::string what;
  std::string advice;
};
[[nodiscard]] FenceLine fence_line(const config::Pairing& pairing, const bridge::built_in::FenceNews& news);

}  // namespace mallard::cli
