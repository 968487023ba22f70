// Small logs for the tests of reading and writing.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bridge/attach/file/record_reader.h"
#include "bridge/attach/file/record_writer.h"
#include "tests/bridge/attach/file/log_bytes.h"

namespace mallard::bridge::file {

struct ReadLog {
  std::vector<std::string> payloads;
  RecordPosition end;
  std::optional<StorageProblem> problem;
};

// Reads until there is no more.
inline ReadLog read_log(const std::filesystem::path& path) {
  RecordReader reader(path, LogKind::delivered, "link");
  ReadLog log;
  for (;;) {
    const auto record = reader.next();
    log.end = reader.position();
    if (!record) {
      log.problem = record.error();
      return log;
    }
    if (!*record) {
      return log;
    }
    std::string payload;
    for (const std::byte byte : (*record)->payload) {
      payload.push_back(static_cast<char>(byte));
    }
    log.payloads.push_back(payload);
  }
}

// Appends a record per payload, synced after each, behind whatever is there.
inline void append_log(const std::filesystem::path& path, const std::vector<std::string>& payloads,
                       const WriteCalls& calls = WriteCalls::system()) {
  auto writer = RecordWriter::open(path, LogKind::delivered, "link", read_log(path).end, calls);
  for (const std::string& payload : payloads) {
    if (!writer->append(1, 0, bytes_of(payload)) || !writer->sync()) {
      throw std::runtime_error("cannot append");
    }
  }
}

// Payloads without a zero byte, of several sizes.
inline std::vector<std::string> some_payloads() {
  return {std::string(10, 'a'), std::string(700, 'b'), "c", std::string(1500, 'd'), std::string(40, 'e')};
}

}  // namespace mallard::bridge::file
