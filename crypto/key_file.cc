#include "crypto/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "config/base/invariant.h"
#include "config/system/file_descriptor.h"
#include "crypto/sodium.h"

namespace mallard::crypto {
namespace {

constexpr std::string_view secret_prefix = "ed25519-secret:";
constexpr std::size_t base64_chars = 44;  // of 32 bytes, with padding
constexpr std::size_t line_chars = secret_prefix.size() + base64_chars + 1;

// Text of a secret key; wiped when it goes.
struct SecretLine {
  std::array<char, line_chars + 2> text{};
  std::size_t length = 0;
  SecretLine() = default;
  SecretLine(const SecretLine&) = delete;
  SecretLine& operator=(const SecretLine&) = delete;
  ~SecretLine() { sodium_memzero(text.data(), text.size()); }
};

std::string error_text(int error) { return std::generic_category().message(error); }

Failure<KeyProblem> problem(const std::filesystem::path& path, std::string_view what, std::string advice) {
  return Failure<KeyProblem>(KeyProblem{fmt::format("{}: {}", path.string(), what), std::move(advice)});
}

std::optional<Failure<KeyProblem>> check_directory(int directory, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(directory, &status) != 0) {
    return problem(path, error_text(errno), "check the directory");
  }
  if ((status.st_mode & 022U) != 0) {
    return problem(path, "others may write to this directory, so they could replace the keys",
                   fmt::format("chmod 700 {}", path.string()));
  }
  return std::nullopt;
}

std::optional<Failure<KeyProblem>> check_file(int file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file, &status) != 0) {
    return problem(path, error_text(errno), "check the file");
  }
  if (!S_ISREG(status.st_mode)) {
    return problem(path, "not a regular file", "put the key file itself here");
  }
  if (status.st_uid != ::geteuid()) {
    return problem(path,
                   fmt::format("belongs to user {}, this process runs as {}", status.st_uid, ::geteuid()),
                   "change the owner of the file or the user of the process");
  }
  if ((status.st_mode & 077U) != 0) {
    return problem(
        path, fmt::format("mode {:04o} lets others at the secret key", status.st_mode & 07777U),
        fmt::format("chmod 600 {}, and make new keys if anybody else could have read it", path.string()));
  }
  return std::nullopt;
}

// As many bytes as there are, up to `room`; none on an error.
std::optional<std::size_t> read_up_to(int file, std::span<char> room) {
  std::size_t used = 0;
  while (used < room.size()) {
    const ssize_t count = ::read(file, room.data() + used, room.size() - used);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return std::nullopt;
    }
    if (count == 0) {
      break;
    }
    used += static_cast<std::size_t>(count);
  }
  return used;
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::optional<KeyPair> parse_secret(const SecretLine& line) {
  std::string_view text(line.text.data(), line.length);
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  if (!text.starts_with(secret_prefix)) {
    return std::nullopt;
  }
  text.remove_prefix(secret_prefix.size());
  std::array<std::byte, seed_bytes> seed{};
  std::size_t decoded = 0;
  const int refused =
      sodium_base642bin(static_cast<unsigned char*>(static_cast<void*>(seed.data())), seed.size(),
                        text.data(), text.size(), nullptr, &decoded, nullptr, sodium_base64_VARIANT_ORIGINAL);
  std::optional<KeyPair> pair;
  if (refused == 0 && decoded == seed_bytes) {
    pair = KeyPair::from_seed(seed);
  }
  sodium_memzero(seed.data(), seed.size());
  return pair;
}

void print_secret(const KeyPair& pair, SecretLine& line) {
  secret_prefix.copy(line.text.data(), secret_prefix.size());
  const auto* seed = static_cast<const unsigned char*>(static_cast<const void*>(pair.seed().data()));
  // Writes the base64 and a terminating zero, which the line end replaces.
  sodium_bin2base64(line.text.data() + secret_prefix.size(), base64_chars + 1, seed, seed_bytes,
                    sodium_base64_VARIANT_ORIGINAL);
  line.text[line_chars - 1] = '\n';
  line.length = line_chars;
}

std::optional<Failure<KeyProblem>> write_key(int directory, const std::filesystem::path& path,
                                             const KeyPair& pair) {
  SecretLine line;
  print_secret(pair, line);
  const std::string name = path.filename().string();
  const FileDescriptor file(
      ::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    return problem(path, error_text(errno), "check the directory's rights and space");
  }
  if (!write_all(file.number(), {line.text.data(), line.length}) || ::fsync(file.number()) != 0) {
    const int error = errno;
    ::unlinkat(directory, name.c_str(), 0);
    return problem(path, error_text(error), "check the file system's space and health");
  }
  return std::nullopt;
}

// The public halves, in the order of `roles`.
Result<std::vector<PublicKey>, KeyProblem> generate(const std::filesystem::path& directory,
                                                    std::span<const KeyRole> roles) {
  start_sodium();
  std::error_code error;
  if (directory.has_parent_path()) {
    std::filesystem::create_directories(directory.parent_path(), error);
  }
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return problem(directory, error_text(errno), "check the rights of the directory above");
  }
  const FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) {
    return problem(directory, error_text(errno), "name a directory that this user may enter");
  }
  if (auto refused = check_directory(opened.number(), directory)) {
    return *refused;
  }
  for (const KeyRole role : roles) {
    struct stat status {};
    const std::filesystem::path path = key_file_path(directory, role);
    if (::fstatat(opened.number(), path.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
      return problem(path, "exists already, and keys are never overwritten",
                     "name another directory, or move the old keys away");
    }
  }
  std::vector<PublicKey> made;
  for (const KeyRole role : roles) {
    const KeyPair pair = KeyPair::generate();
    if (auto failed = write_key(opened.number(), key_file_path(directory, role), pair)) {
      return *failed;
    }
    made.push_back(pair.public_key());
  }
  if (::fsync(opened.number()) != 0) {
    return problem(directory, error_text(errno), "check the file system's health");
  }
  return made;
}

}  // namespace

std::string_view key_role_name(KeyRole role) {
  switch (role) {
    case KeyRole::gateway:
      return "gateway";
    case KeyRole::replica:
      return "replica";
    case KeyRole::signing:
      return "signing";
    case KeyRole::client:
      return "client";
  }
  return "unknown";
}

std::filesystem::path key_file_path(const std::filesystem::path& directory, KeyRole role) {
  return directory / fmt::format("{}.key", key_role_name(role));
}

Result<PublicKeys, KeyProblem> generate_keys(const std::filesystem::path& directory) {
  const auto made = generate(directory, key_roles);
  if (!made) {
    return Failure<KeyProblem>(made.error());
  }
  PublicKeys keys;
  std::copy(made->begin(), made->end(), keys.begin());
  return keys;
}

Result<PublicKey, KeyProblem> generate_client_key(const std::filesystem::path& directory) {
  constexpr std::array<KeyRole, 1> role{KeyRole::client};
  const auto made = generate(directory, role);
  if (!made) {
    return Failure<KeyProblem>(made.error());
  }
  return made->front();
}

Result<KeyPair, KeyProblem> load_key(const std::filesystem::path& directory, KeyRole role) {
  return load_key_file(key_file_path(directory, role));
}

Result<KeyPair, KeyProblem> load_key_file(const std::filesystem::path& path) {
  start_sodium();
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  const FileDescriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) {
    return problem(directory, error_text(errno), fmt::format("mallard keys generate {}", directory.string()));
  }
  if (auto refused = check_directory(folder.number(), directory)) {
    return *refused;
  }
  const FileDescriptor file(
      ::openat(folder.number(), path.filename().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    return errno == ELOOP ? problem(path, "is a symbolic link", "put the key file itself here")
                          : problem(path, error_text(errno),
                                    fmt::format("mallard keys generate {}", directory.string()));
  }
  if (auto refused = check_file(file.number(), path)) {
    return *refused;
  }
  SecretLine line;
  const auto length = read_up_to(file.number(), line.text);
  if (!length) {
    return problem(path, error_text(errno), "check the file system's health");
  }
  line.length = *length;
  std::optional<KeyPair> pair = parse_secret(line);
  if (!pair) {
    return problem(path, "does not hold a key: one line, ed25519-secret: and 44 characters of base64",
                   "restore the file from your backup");
  }
  return std::move(*pair);
}

}  // namespace mallard::crypto
