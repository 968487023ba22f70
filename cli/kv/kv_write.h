// A write that is executed once at most, however often it has to be sent: it runs in a session, whose last
// answer the machine keeps (rsm/machine/session_table.h). It is repeated over the replicas until there is an
// answer or the time is over, and what is known of it then is said as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "cli/kv/kv_client.h"
#include "config/base/time.h"
#include "rsm/machine/kv_command.h"

namespace mallard::cli {

enum class WriteOutcome : std::uint8_t {
  answered,     // by the machine: it was executed, or refused for the reason in its reply
  turned_away,  // not executed, and not later either: the answer says why
  too_late,     // not executed, and not later either: nobody took it in time
  unknown,      // executed or not, now or later
};

struct WriteReport {
  WriteOutcome outcome = WriteOutcome::too_late;
  // unknown: asked again in this session the write is executed once at most. 0: the session is gone, and the
  // machine cannot say any more whether it was executed.
  std::uint64_t session = 0;
  std::optional<KvAnswer> answer;  // answered, turned_away
};

// The bytes of the write with this tag.
using TaggedCommand = std::function<std::vector<std::byte>(const rsm::SessionTag&)>;

// `session`: of an earlier report of the same write whose outcome was unknown; 0: one is opened, for one
// round trip, and closed behind the answer, which is not waited for.
[[nodiscard]] WriteReport write_once(KvClient& client, const TaggedCommand& command, std::uint64_t session,
                                     Instant until);

}  // namespace mallard::cli
