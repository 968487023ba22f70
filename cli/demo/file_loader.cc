#include "cli/demo/file_loader.h"

#include <utility>

#include "transport/driver/event_loop.h"

namespace mallard::cli {

Result<std::unique_ptr<FileLoader>, std::string> FileLoader::open(
    const DemoWorkload& workload, const std::string& cluster,
    const std::vector<std::filesystem::path>& directories, double messages_per_second) {
  std::unique_ptr<FileLoader> loader(new FileLoader(workload, messages_per_second));
  for (const std::filesystem::path& directory : directories) {
    auto log = bridge::file::CommittedLogWriter::open(directory, cluster);
    if (!log) {
      return Failure<std::string>(log.error().what);
    }
    loader->logs_.push_back(std::move(*log));
  }
  return loader;
}

Result<void, std::string> FileLoader::advance(Instant now, std::size_t hold_at, Instant /*until*/) {
  while (is_due(now, hold_at)) {
    if (auto done = commit_entry(); !done) {
      return done;
    }
    committed(transport::EventLoop::now());
  }
  return {};
}

Result<void, std::string> FileLoader::commit_entry() {
  for (bridge::file::CommittedLogWriter& log : logs_) {
    for (std::size_t i = messages(); i < workload().entry_end(entries()); ++i) {
      if (!log.add(workload().message(i))) {
        return Failure<std::string>("a message does not fit a log entry");
      }
    }
    auto done = log.commit();
    if (done) {
      done = log.flush();
    }
    if (!done) {
      return Failure<std::string>(done.error().what);
    }
  }
  return {};
}

Result<void, std::string> FileLoader::finish() {
  for (bridge::file::CommittedLogWriter& log : logs_) {
    if (const auto synced = log.sync(); !synced) {
      return Failure<std::string>(synced.error().what);
    }
  }
  return {};
}

}  // namespace mallard::cli
