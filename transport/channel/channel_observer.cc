#include "transport/channel/channel_observer.h"

namespace mallard::transport {

std::string_view close_reason_name(CloseReason reason) {
  switch (reason) {
    case CloseReason::by_observer:
      return "by_observer";
    case CloseReason::by_peer:
      return "by_peer";
    case CloseReason::lost:
      return "lost";
    case CloseReason::replaced:
      return "replaced";
    case CloseReason::malformed_frame:
      return "malformed_frame";
    case CloseReason::oversized_frame:
      return "oversized_frame";
    case CloseReason::frame_deadline:
      return "frame_deadline";
    case CloseReason::write_deadline:
      return "write_deadline";
    case CloseReason::too_many_key_updates:
      return "too_many_key_updates";
    case CloseReason::tls_failed:
      return "tls_failed";
  }
  return "unknown";
}

}  // namespace mallard::transport
