// The part of the door that a replica needs (transport/door/door_server.h), so that tests can stand in for
// it.
#pragma once

#include "transport/door/door_message.h"
#include "transport/door/door_server.h"

namespace mallard::rsm {

class DoorPort {
 public:
  virtual ~DoorPort() = default;
  // As DoorServer::send(): false when the connection is gone or its queue full; answers always find room. The
  // caller keeps its reference to the body.
  virtual bool send(transport::door::DoorConnection to, const transport::door::DoorMessage& message) = 0;
  // Ends the connection, if it is there.
  virtual void close(transport::door::DoorConnection connection) = 0;
};

}  // namespace mallard::rsm
