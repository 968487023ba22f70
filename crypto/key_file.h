// The key files in a process's directory: gateway.key, replica.key and signing.key; in a client's:
// client.key. Each is one line, "ed25519-secret:" and the base64 of the 32-byte seed, readable by its owner
// alone.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "config/base/result.h"
#include "config/contract/public_key.h"
#include "crypto/key_pair.h"

namespace mallard::crypto {

// One key for each purpose, so that a stolen gateway can delay but not forge.
enum class KeyRole : std::uint8_t { gateway, replica, signing, client };
// Of a process of a deployment.
inline constexpr std::array<KeyRole, 3> key_roles{KeyRole::gateway, KeyRole::replica, KeyRole::signing};

// "gateway", "replica", "signing" or "client".
[[nodiscard]] std::string_view key_role_name(KeyRole role);

// Where the key lies: DIR/ROLE.key.
[[nodiscard]] std::filesystem::path key_file_path(const std::filesystem::path& directory, KeyRole role);

// Why a key file cannot be used, and what to do. Never quotes the file's contents.
struct KeyProblem {
  std::string what;    // begins with the path
  std::string advice;  // a phrase without a final stop
};

// The public halves, in the order of key_roles.
using PublicKeys = std::array<PublicKey, key_roles.size()>;

// Makes the three files, and the directory (mode 0700) where it is missing, and syncs them. Refuses, before
// it has written anything, when one of the files exists: a key is never overwritten.
[[nodiscard]] Result<PublicKeys, KeyProblem> generate_keys(const std::filesystem::path& directory);

// Likewise the one file of a client.
[[nodiscard]] Result<PublicKey, KeyProblem> generate_client_key(const std::filesystem::path& directory);

// Reads one key. The file must be a regular one, not a symbolic link, owned by the user of this process,
// without any right for group or others; its directory must not be writable by group or others. All of that
// is checked on what was opened, not on the name.
[[nodiscard]] Result<KeyPair, KeyProblem> load_key(const std::filesystem::path& directory, KeyRole role);
// The same of a file with any name.
[[nodiscard]] Result<KeyPair, KeyProblem> load_key_file(const std::filesystem::path& path);

}  // namespace mallard::crypto
