// forgetful_disk MOUNTPOINT: a file system in memory that forgets what was not synced, on command. Runs in
// the foreground until SIGTERM. Commands are written to the file `.control` in its root, one per write:
//
//   drop          the power goes: everything that was not synced is lost
//   tear SEED     likewise, but any sectors of 512 bytes, and the names, may have reached the medium
//   sync          everything is durable
//   fail          the next sync fails with EIO, and the bytes are lost although later syncs succeed
//   space BYTES   files may grow by so much in all, then there is no space left
#define FUSE_USE_VERSION 31
#include <fuse.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "tests/integration/forgetful_disk/forgetful_tree.h"

namespace {

using mallard::integration::ForgetfulTree;

constexpr const char* control_path = "/.control";

bool is_control(const char* path) { return std::strcmp(path, control_path) == 0; }

ForgetfulTree& tree() {
  static ForgetfulTree the_tree;
  return the_tree;
}

int obey(const std::string& command) {
  const std::string word = command.substr(0, command.find_first_of(" \n"));
  const std::uint64_t number = std::strtoull(command.c_str() + word.size(), nullptr, 10);
  if (word == "drop") {
    tree().drop_all();
  } else if (word == "tear") {
    tree().drop_some(number);
  } else if (word == "sync") {
    tree().sync_all();
  } else if (word == "fail") {
    tree().fail_next_sync();
  } else if (word == "space") {
    tree().limit_space(number);
  } else {
    return -EINVAL;
  }
  return 0;
}

int get_attributes(const char* path, struct stat* status, fuse_file_info*) {
  *status = {};
  status->st_uid = ::fuse_get_context()->uid;
  status->st_gid = ::fuse_get_context()->gid;
  status->st_nlink = 1;
  if (tree().is_directory(path)) {
    status->st_mode = S_IFDIR | 0700U;
    return 0;
  }
  status->st_mode = S_IFREG | 0600U;
  if (is_control(path)) {
    return 0;
  }
  const auto file = tree().find(path);
  if (!file) {
    return -ENOENT;
  }
  if (file->is_socket) {
    status->st_mode = S_IFSOCK | 0600U;
  }
  status->st_size = static_cast<off_t>(file->current.size());
  status->st_blocks = (status->st_size + 511) / 512;
  return 0;
}

int read_directory(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
                   fuse_readdir_flags) {
  for (const std::string& name : tree().names_in(path)) {
    fill(buffer, name.c_str(), nullptr, 0, fuse_fill_dir_flags{});
  }
  return 0;
}

// Without the kernel's page cache between, so that a forgotten byte is forgotten.
int open_file(const char* path, fuse_file_info* file) {
  file->direct_io = 1;
  return is_control(path) || tree().find(path) ? 0 : -ENOENT;
}

int create_file(const char* path, mode_t, fuse_file_info* file) {
  file->direct_io = 1;
  return is_control(path) ? 0 : tree().create(path);
}

// Of a replica's door: the kernel wants a name for it.
int make_node(const char* path, mode_t mode, dev_t) {
  return S_ISSOCK(mode) && !tree().find(path) ? tree().create(path, true) : -EPERM;
}

int read_file(const char* path, char* into, std::size_t count, off_t offset, fuse_file_info*) {
  const auto file = tree().find(path);
  if (!file) {
    return -ENOENT;
  }
  const std::size_t from = std::min<std::size_t>(static_cast<std::size_t>(offset), file->current.size());
  const std::size_t got = std::min(count, file->current.size() - from);
  if (got != 0) {
    std::memcpy(into, file->current.data() + from, got);
  }
  return static_cast<int>(got);
}

int write_file(const char* path, const char* bytes, std::size_t count, off_t offset, fuse_file_info*) {
  int done = -ENOENT;
  if (is_control(path)) {
    done = obey(std::string(bytes, count));
  } else if (const auto file = tree().find(path)) {
    done = tree().write(*file, static_cast<std::uint64_t>(offset), std::as_bytes(std::span(bytes, count)));
  }
  return done == 0 ? static_cast<int>(count) : done;
}

int resize_file(const char* path, off_t size, fuse_file_info*) {
  if (is_control(path)) {
    return 0;
  }
  const auto file = tree().find(path);
  return file ? tree().resize(*file, static_cast<std::uint64_t>(size)) : -ENOENT;
}

int sync_file(const char* path, int, fuse_file_info*) {
  const auto file = tree().find(path);
  return file ? tree().sync(*file) : -ENOENT;
}

int sync_names(const char* path, int, fuse_file_info*) { return tree().sync_directory(path); }
int rename_file(const char* from, const char* to, unsigned) { return tree().rename(from, to); }
int remove_file(const char* path) { return tree().remove(path); }
int make_directory(const char* path, mode_t) { return tree().make_directory(path); }
int remove_directory(const char* path) { return tree().remove_directory(path); }
int change_mode(const char*, mode_t, fuse_file_info*) { return 0; }
int set_times(const char*, const timespec*, fuse_file_info*) { return 0; }

// Names and sizes change under the kernel's feet: it keeps none of them.
void* start(fuse_conn_info*, fuse_config* config) {
  config->entry_timeout = 0;
  config->attr_timeout = 0;
  config->negative_timeout = 0;
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: forgetful_disk MOUNTPOINT\n", stderr);
    return 2;
  }
  fuse_operations operations{};
  operations.getattr = get_attributes;
  operations.readdir = read_directory;
  operations.open = open_file;
  operations.create = create_file;
  operations.mknod = make_node;
  operations.read = read_file;
  operations.write = write_file;
  operations.truncate = resize_file;
  operations.fsync = sync_file;
  operations.fsyncdir = sync_names;
  operations.rename = rename_file;
  operations.unlink = remove_file;
  operations.mkdir = make_directory;
  operations.rmdir = remove_directory;
  operations.chmod = change_mode;
  operations.utimens = set_times;
  operations.init = start;
  std::string foreground = "-f";
  std::string one_thread = "-s";
  std::array<char*, 4> arguments{argv[0], foreground.data(), one_thread.data(), argv[1]};
  return fuse_main(static_cast<int>(arguments.size()), arguments.data(), &operations, nullptr);
}
