// The plainest ways to make, read and damage logs in a test's directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/scratch_directory.h"

namespace mallard::bridge::file {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);  // overwriting would make some file systems sync
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes;
  for (const char c : text) {
    bytes.push_back(static_cast<std::byte>(c));
  }
  return bytes;
}

// The messages as a batch's payload: each as u32 length and bytes.
inline std::vector<std::byte> framed(const std::vector<std::string>& messages) {
  std::vector<std::byte> bytes;
  for (const std::string& message : messages) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<std::byte>((message.size() >> shift) & 0xffU));
    }
    for (const char c : message) {
      bytes.push_back(static_cast<std::byte>(c));
    }
  }
  return bytes;
}

// A message of the form key and value.
inline std::string keyed(const std::string& key, const std::string& value) {
  std::string message;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    message.push_back(static_cast<char>((key.size() >> shift) & 0xffU));
  }
  return message + key + value;
}

}  // namespace mallard::bridge::file
