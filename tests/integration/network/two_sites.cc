#include "tests/integration/network/two_sites.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr ClusterIndex east_site(0);
constexpr ClusterIndex west_site(1);

NetworkNamespace make_space() {
  auto space = NetworkNamespace::create();
  if (!space) throw std::runtime_error(space.error());
  return std::move(*space);
}

// Replica addresses in 10.201.SITE.0/24, and the way to the other site.
std::vector<std::string> give_addresses(const NetworkNamespace& space, const std::string& site,
                                        const std::string& other) {
  std::vector<std::string> hosts;
  for (int r = 0; r < TwoSites::replicas; ++r) {
    hosts.push_back("10.201." + site + "." + std::to_string(10 + r));
    space.run({"ip", "address", "add", hosts.back() + "/24", "dev", TunLink::device});
  }
  space.run({"ip", "route", "add", "10.201." + other + ".0/24", "dev", TunLink::device});
  return hosts;
}

}  // namespace

TwoSites::Fault::Fault(const NetworkNamespace& space, std::vector<std::string> rule)
    : space_(space), rule_(std::move(rule)) {
  rule_.insert(rule_.begin(), {"iptables", "-w", "-A"});
  space_.run(rule_);
}

TwoSites::Fault::~Fault() {
  rule_[2] = "-D";
  try {
    space_.run(rule_);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "a fault could not be ended: %s\n", problem.what());
  }
}

TwoSites::TwoSites(const Impairment& impairment, std::uint64_t seed)
    : east_(make_space()),
      west_(make_space()),
      line_(east_, west_, impairment, seed),
      deployment_(
          built_program(),
          {{.name = "east", .replicas = replicas, .hosts = give_addresses(east_, "1", "2"), .space = &east_},
           {.name = "west",
            .replicas = replicas,
            .hosts = give_addresses(west_, "2", "1"),
            .space = &west_}}),
      source_(deployment_.directories(east_site), "east", message_bytes) {
  for (const auto& directory : deployment_.directories(west_site)) {
    checks_.emplace_back(directory, Deployment::link, message_bytes);
  }
  deployment_.start_all();
}

std::uint64_t TwoSites::delivered_everywhere() {
  std::uint64_t least = UINT64_MAX;
  for (DeliveryCheck& check : checks_) least = std::min(least, check.read_on());
  return least;
}

std::string TwoSites::finish(Duration limit) {
  const auto broken = [&] {
    return std::ranges::find_if(checks_, [](const DeliveryCheck& check) { return !check.problem().empty(); });
  };
  const bool complete = wait_until(
      limit, [&] { return delivered_everywhere() == source_.messages() || broken() != checks_.end(); });
  if (broken() != checks_.end()) return broken()->problem();
  if (complete) {
    const bool known = wait_until(limit, [&] { return known_everywhere(); });
    return known ? "" : "all is delivered, but not all of east has learnt so";
  }
  std::string what = "the deadline passed; delivered so far:";
  for (DeliveryCheck& check : checks_) what += " " + std::to_string(check.read_on());
  return what + " of " + std::to_string(source_.messages()) + "\n" +
         deployment_.last_words({east_site, ReplicaIndex(0)}) +
         deployment_.last_words({west_site, ReplicaIndex(0)});
}

bool TwoSites::known_everywhere() const {
  return deployment_.sum(east_site, "mallard_quorum_acked_sequence") ==
         static_cast<double>(replicas * source_.messages());
}

double TwoSites::resends_per_message() const {
  return deployment_.sum(east_site, "mallard_retransmits_total") / static_cast<double>(source_.messages());
}

double TwoSites::copies_per_message() const {
  return deployment_.sum(east_site, "mallard_copies_sent_total") / static_cast<double>(source_.messages()) +
         resends_per_message();
}

void TwoSites::print_counters(const std::string& title) const {
  const TunLink::Counters& line = line_.counters();
  fmt::print("{}\n  line: {} packets, {} lost, {} duplicated, {} reordered, {} overflowed\n", title,
             line.packets, line.lost, line.duplicated, line.reordered, line.overflowed);
  fmt::print(
      "  {} messages, {:.3f} copies and {:.3f} resends per message; west shared {} batches, pulled {}, "
      "dropped {}\n",
      source_.messages(), copies_per_message(), resends_per_message(),
      deployment_.sum(west_site, "mallard_shares_sent_total"),
      deployment_.sum(west_site, "mallard_pulls_sent_total"),
      deployment_.sum(west_site, "mallard_duplicates_dropped_total"));
}

}  // namespace mallard::integration
