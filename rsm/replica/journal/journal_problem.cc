#include "rsm/replica/journal/journal_problem.h"

#include <fmt/format.h>

#include <system_error>

namespace mallard::rsm::journal {

JournalError machine_error(const DiskError& error, const FileName& file) {
  const char* advice = "mend the disk and start again; what is missing is fetched from the other replicas";
  if (error.fault == DiskFault::full) {
    advice = "free some space and start again";
  }
  return {.fault = JournalFault::machine,
          .what = fmt::format("{}: {} failed: {}", file.text(), error.call,
                              std::generic_category().message(error.code)),
          .advice = advice};
}

}  // namespace mallard::rsm::journal
