// Files in memory that know what of them was synced, and can forget the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/prng.h"

namespace mallard::integration {

// Paths are absolute, "/" is the root. Directories themselves are durable at once; the names in them are
// durable after sync_directory(), the bytes of a file after sync(). Functions that can fail return 0 or a
// negative errno, as FUSE wants it.
class ForgetfulTree {
 public:
  struct File {
    std::vector<std::byte> durable;
    std::vector<std::byte> current;
    std::set<std::uint64_t> changed;  // numbers of sectors of 512 bytes, since the last sync
    bool is_socket = false;           // a name that a socket is bound to
  };
  using FilePtr = std::shared_ptr<File>;

  ForgetfulTree() { directories_.insert("/"); }

  [[nodiscard]] FilePtr find(const std::string& path) const;
  [[nodiscard]] bool is_directory(const std::string& path) const { return directories_.contains(path); }
  [[nodiscard]] std::vector<std::string> names_in(const std::string& directory) const;

  int create(const std::string& path, bool is_socket = false);
  int make_directory(const std::string& path);
  int remove_directory(const std::string& path);
  int rename(const std::string& from, const std::string& to);
  int remove(const std::string& path);
  int write(File& file, std::uint64_t offset, ByteView bytes);
  int resize(File& file, std::uint64_t size);
  // EIO once after fail_next_sync(): what was to be synced is lost, and is not missed by the next sync.
  int sync(File& file);
  int sync_directory(const std::string& path);

  // --- What the test says. The power goes:
  void drop_all();
  // Any sectors that were not synced, and any changed names, may have reached the medium.
  void drop_some(std::uint64_t seed);
  void sync_all();
  void fail_next_sync() { fails_next_sync_ = true; }
  // Bytes that files may still grow by in all.
  void limit_space(std::uint64_t bytes) { space_left_ = bytes; }

 private:
  void settle(File& file);
  void forget(std::uint64_t keep_parts, Prng& prng);

  std::map<std::string, FilePtr> names_;
  std::map<std::string, FilePtr> durable_names_;
  std::set<std::string> directories_;
  bool fails_next_sync_ = false;
  std::uint64_t space_left_ = UINT64_MAX;
};

}  // namespace mallard::integration
