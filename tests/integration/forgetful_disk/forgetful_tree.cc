#include "tests/integration/forgetful_disk/forgetful_tree.h"

#include <algorithm>
#include <cerrno>

namespace mallard::integration {

namespace {

constexpr std::uint64_t sector_bytes = 512;
constexpr std::uint64_t parts = 1'000'000;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

ForgetfulTree::FilePtr ForgetfulTree::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

std::vector<std::string> ForgetfulTree::names_in(const std::string& directory) const {
  std::vector<std::string> names;
  for (const auto& [path, file] : names_) {
    if (parent_of(path) == directory) {
      names.push_back(last_of(path));
    }
  }
  for (const std::string& path : directories_) {
    if (path != "/" && parent_of(path) == directory) {
      names.push_back(last_of(path));
    }
  }
  return names;
}

int ForgetfulTree::create(const std::string& path, bool is_socket) {
  if (!is_directory(parent_of(path))) {
    return -ENOENT;
  }
  names_[path] = std::make_shared<File>();
  names_[path]->is_socket = is_socket;
  return 0;
}

int ForgetfulTree::make_directory(const std::string& path) {
  if (!is_directory(parent_of(path))) {
    return -ENOENT;
  }
  return directories_.insert(path).second ? 0 : -EEXIST;
}

int ForgetfulTree::remove_directory(const std::string& path) {
  if (!is_directory(path) || path == "/") {
    return -ENOENT;
  }
  if (!names_in(path).empty()) {
    return -ENOTEMPTY;
  }
  directories_.erase(path);
  return 0;
}

int ForgetfulTree::rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end() || !is_directory(parent_of(to))) {
    return -ENOENT;
  }
  const FilePtr file = found->second;
  names_.erase(found);
  names_[to] = file;
  return 0;
}

int ForgetfulTree::remove(const std::string& path) { return names_.erase(path) == 1 ? 0 : -ENOENT; }

int ForgetfulTree::write(File& file, std::uint64_t offset, ByteView bytes) {
  const std::uint64_t end = offset + bytes.size();
  if (end > file.current.size()) {
    if (const int grown = resize(file, end); grown != 0) {
      return grown;
    }
  }
  std::copy(bytes.begin(), bytes.end(), file.current.begin() + static_cast<std::ptrdiff_t>(offset));
  for (std::uint64_t sector = offset / sector_bytes; sector * sector_bytes < end; ++sector) {
    file.changed.insert(sector);
  }
  return 0;
}

int ForgetfulTree::resize(File& file, std::uint64_t size) {
  if (size > file.current.size() && space_left_ != UINT64_MAX) {
    const std::uint64_t more = size - file.current.size();
    if (more > space_left_) {
      return -ENOSPC;
    }
    space_left_ -= more;
  }
  file.current.resize(size, std::byte{0});
  file.changed.insert(size / sector_bytes);
  return 0;
}

int ForgetfulTree::sync(File& file) {
  if (fails_next_sync_) {
    fails_next_sync_ = false;
    file.changed.clear();
    return -EIO;
  }
  settle(file);
  return 0;
}

void ForgetfulTree::settle(File& file) {
  file.durable.resize(file.current.size(), std::byte{0});
  for (const std::uint64_t sector : file.changed) {
    const std::uint64_t from = std::min<std::uint64_t>(sector * sector_bytes, file.current.size());
    const std::uint64_t to = std::min<std::uint64_t>(from + sector_bytes, file.current.size());
    std::copy(file.current.begin() + static_cast<std::ptrdiff_t>(from),
              file.current.begin() + static_cast<std::ptrdiff_t>(to),
              file.durable.begin() + static_cast<std::ptrdiff_t>(from));
  }
  file.changed.clear();
}

int ForgetfulTree::sync_directory(const std::string& path) {
  std::erase_if(durable_names_, [&](const auto& entry) {
    return parent_of(entry.first) == path && !names_.contains(entry.first);
  });
  for (const auto& [name, file] : names_) {
    if (parent_of(name) == path) {
      durable_names_[name] = file;
    }
  }
  return 0;
}

void ForgetfulTree::drop_all() {
  Prng unused(0);
  forget(0, unused);
}

void ForgetfulTree::drop_some(std::uint64_t seed) {
  Prng prng(seed);
  const std::uint64_t keep_parts = prng.between(1, 3) * (parts / 4);
  if (prng.below(2) == 0) {
    durable_names_ = names_;
  }
  forget(keep_parts, prng);
}

void ForgetfulTree::forget(std::uint64_t keep_parts, Prng& prng) {
  names_ = durable_names_;
  for (const auto& [path, file] : names_) {
    std::erase_if(file->changed, [&](std::uint64_t) { return !prng.one_in_million(keep_parts); });
    if (!file->changed.empty()) {
      settle(*file);
    }
    file->current = file->durable;
  }
  fails_next_sync_ = false;
  space_left_ = UINT64_MAX;
}

void ForgetfulTree::sync_all() {
  durable_names_ = names_;
  for (const auto& [path, file] : names_) {
    settle(*file);
  }
}

}  // namespace mallard::integration
