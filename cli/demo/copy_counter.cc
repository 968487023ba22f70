#include "cli/demo/copy_counter.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/status/admin_page.h"

namespace mallard::cli {
namespace {

constexpr Duration patience = Duration::milliseconds(500);

}  // namespace

CopyCounter::CopyCounter(const DemoDeployment& deployment)
    : deployment_(deployment), gateways_(deployment.replicas()) {}

void CopyCounter::begin_clean() {
  read();
  in_clean_ = true;
}

void CopyCounter::begin_fault() {
  read();
  in_clean_ = false;
}

void CopyCounter::read() {
  for (std::size_t replica = 0; replica < gateways_.size(); ++replica) {
    const auto page = fetch_page(deployment_.admin_port(0, replica), "/status", patience);
    const auto status = nlohmann::json::parse(page ? *page : "", nullptr, false);
    if (!status.is_object() || !status.contains("links") || status["links"].empty()) {
      continue;  // it is down; what it sent since it was asked last is lost with it
    }
    Gateway& gateway = gateways_[replica];
    const std::string incarnation = status.value("incarnation", "");
    if (incarnation != gateway.incarnation) {
      gateway.incarnation = incarnation;
      gateway.last = {};
    }
    const auto& link = status["links"][0];
    const auto latency = link.value("latency", nlohmann::json::object());
    gateway.batches = latency.value("batches", std::uint64_t{0});
    gateway.lag_ms_p50 = latency.value("p50_ms", 0.0);
    gateway.lag_ms_p99 = latency.value("p99_ms", 0.0);
    const Sent now{.first = link.value("copies", std::uint64_t{0}),
                   .again = link.value("resends", std::uint64_t{0})};
    const Sent news{.first = now.first - gateway.last.first, .again = now.again - gateway.last.again};
    gateway.last = now;
    gateway.total.first += news.first;
    gateway.total.again += news.again;
    if (in_clean_) {
      clean_.first += news.first;
      clean_.again += news.again;
    }
  }
}

double CopyCounter::copies_per_message() const {
  return clean_.first == 0
             ? 0
             : static_cast<double>(clean_.first + clean_.again) / static_cast<double>(clean_.first);
}

const CopyCounter::Gateway& CopyCounter::busiest() const {
  return *std::ranges::max_element(gateways_, {}, &Gateway::batches);
}

std::uint64_t CopyCounter::resends() const {
  std::uint64_t sum = 0;
  for (const Gateway& gateway : gateways_) {
    sum += gateway.total.again;
  }
  return sum;
}

}  // namespace mallard::cli
