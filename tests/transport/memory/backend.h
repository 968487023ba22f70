// One-sided memory of three processes, as the conformance suite sees it: whatever carries it.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "config/contract/one_sided.h"

namespace mallard::memory {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual Link& link(ProcessIndex from, ProcessIndex to) = 0;
  virtual Domain& domain(ProcessIndex process) = 0;
  // Something may happen: virtual time passes, or other threads run.
  virtual void let_pass() = 0;
  // The process ends, and begins anew with other memory. Links and domains of it are new objects.
  virtual void restart(ProcessIndex process) = 0;
  // The memory stops to answer while its process and the others go on. False: this backend cannot in here.
  virtual bool hang(ProcessIndex process, bool hangs) = 0;
};

struct BackendKind {
  std::string name;
  Capabilities capabilities;
  bool hangs = false;       // can hang()
  bool concurrent = false;  // links of different processes may be used by different threads at a time
  std::function<std::unique_ptr<Backend>(const std::vector<RegionLayout>&, std::size_t depth)> open;
  friend std::ostream& operator<<(std::ostream& out, const BackendKind& kind) { return out << kind.name; }
};

// All that the suite runs over.
[[nodiscard]] std::vector<BackendKind> backend_kinds();

}  // namespace mallard::memory
