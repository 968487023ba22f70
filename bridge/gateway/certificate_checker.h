// The port to whatever decides that a batch is what the source cluster committed. Answers may come late and
// in any order.
#pragma once

#include <optional>

#include "bridge/core/effect.h"
#include "bridge/core/event.h"

namespace mallard::bridge {

class CertificateChecker {
 public:
  virtual ~CertificateChecker() = default;
  // Starts one check. The payload stays valid until the answer has been taken.
  virtual void check(const CheckCertificate& order) = 0;
  // The next answer that is ready, if any.
  virtual std::optional<CertificateChecked> poll() = 0;
};

}  // namespace mallard::bridge
