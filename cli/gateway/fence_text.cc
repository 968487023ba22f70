#include "cli/gateway/fence_text.h"

#include <fmt/format.h>

namespace mallard::cli {
namespace {

const std::string& source_of(const config::Pairing& pairing, LinkIndex link) {
  return pairing.clusters[pairing.links[link.value].from.value].name;
}

const std::string& destination_of(const config::Pairing& pairing, LinkIndex link) {
  return pairing.clusters[pairing.links[link.value].to.value].name;
}

}  // namespace

std::string fenced_waiting_for(const config::Pairing& pairing, LinkIndex link, Fence ordered, Fence raised) {
  return fmt::format("a decision: {} was promoted to fence {}, and refuses what {} sends under fence {}",
                     destination_of(pairing, link), raised.value, source_of(pairing, link), ordered.value);
}

std::string fenced_next_step(const config::Pairing& pairing, LinkIndex link) {
  return fmt::format("to let {} write to {} again: restart a gateway of {}; else stop the gateways of {}",
                     source_of(pairing, link), destination_of(pairing, link), destination_of(pairing, link),
                     source_of(pairing, link));
}

FenceLine fence_line(const config::Pairing& pairing, const bridge::built_in::FenceNews& news) {
  const std::string& name = pairing.links[news.link.value].name;
  if (news.fenced) {
    return {fmt::format("link {} is fenced: it waits for {}", name,
                        fenced_waiting_for(pairing, news.link, news.ordered, news.raised)),
            fenced_next_step(pairing, news.link)};
  }
  return {fmt::format("link {} is no longer fenced: {} applies it under fence {}", name,
                      destination_of(pairing, news.link), news.raised.value),
          "nothing is to be done"};
}

}  // namespace mallard::cli
