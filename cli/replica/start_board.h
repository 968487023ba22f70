// Keeps the admin pages of a replica fresh while it starts. Opening a journal reads whole segments on the
// process's only thread, so a thread of the board's own says meanwhile that the process lives.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "cli/replica/start_page.h"
#include "transport/admin/admin_server.h"

namespace mallard::cli {

class StartBoard {
 public:
  // Publishes from now on. `standing` is complete but for what it waits for. `admin` outlives the board.
  StartBoard(transport::AdminServer& admin, StartStanding standing, std::string waiting_for);
  // Publishes no more; waits for its thread, which does nothing that takes long.
  ~StartBoard();
  StartBoard(const StartBoard&) = delete;
  StartBoard& operator=(const StartBoard&) = delete;

  // Something else is waited for from now on.
  void begin_step(std::string waiting_for);
  // The same as before, said with other words.
  void say(std::string waiting_for);
  // How long the step takes already.
  [[nodiscard]] Duration waited() const;

 private:
  void repeat();
  void publish();  // `mutex_` is held

  transport::AdminServer& admin_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  StartStanding standing_;
  bool over_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace mallard::cli
