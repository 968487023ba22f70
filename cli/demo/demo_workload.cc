#include "cli/demo/demo_workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <unordered_set>
#include <utility>

#include "config/base/limits.h"

namespace mallard::cli {
namespace {

constexpr std::uint64_t updates_wanted = 4'000;
constexpr std::uint64_t deletes_wanted = 1'000;
constexpr std::uint64_t increments_wanted = 2'000;
// Steps through the keys that never meet the same one twice before all were met, whatever their number:
// primes.
constexpr std::uint64_t update_step = 1'000'003;
constexpr std::uint64_t delete_step = 999'983;
constexpr std::size_t entry_messages_max = 64;
constexpr std::size_t entry_bytes_max = 64U << 10;
constexpr std::size_t key_bytes_max = 1024;
constexpr std::size_t sum_bytes = 8;

void append_u32(std::string& bytes, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xffU));
  }
}

std::string_view key_in(std::string_view record) {
  constexpr std::string_view field = "Package: ";
  for (std::size_t at = record.find(field); at != std::string_view::npos; at = record.find(field, at + 1)) {
    if (at == 0 || record[at - 1] == '\n') {
      const std::string_view rest = record.substr(at + field.size());
      return rest.substr(0, rest.find('\n'));
    }
  }
  return {};
}

std::string read_all(std::FILE* stream) {
  std::string text;
  std::array<char, 65'536> piece{};
  for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), stream)) > 0;) {
    text.append(piece.data(), got);
  }
  return text;
}

std::string read_package_index() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen("apt-cache dumpavail 2>/dev/null", "r"),
                                                             ::pclose);
  return pipe == nullptr ? std::string() : read_all(pipe.get());
}

std::string read_file(const std::string& path, bool& readable) {
  std::ifstream in(path, std::ios::binary);
  readable = in.is_open();
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Result<DemoWorkload, std::string> DemoWorkload::from_records(std::string_view text) {
  DemoWorkload workload;
  std::unordered_set<std::string> known;
  workload.bytes_.reserve(text.size() + text.size() / 16);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    const std::string_view record = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    if (record.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      continue;
    }
    if (record.size() > message_bytes_max / 2) {
      return Failure<std::string>(fmt::format("record {} has {} bytes; at most {} are possible",
                                              workload.counts_.values + 1, record.size(),
                                              message_bytes_max / 2));
    }
    const std::string_view key = key_in(record);
    if (key.size() > key_bytes_max) {
      return Failure<std::string>(fmt::format("the name of record {} has {} bytes; at most {} are possible",
                                              workload.counts_.values + 1, key.size(), key_bytes_max));
    }
    ++workload.counts_.values;
    const std::string name =
        key.empty() ? fmt::format("record/{}", workload.counts_.values) : std::string(key);
    workload.add(name, 'P', record);
    if (known.insert(name).second) {
      workload.keys_.push_back(name);
    }
  }
  if (workload.counts_.values == 0) {
    return Failure<std::string>("there is no record in it");
  }
  const std::uint64_t keys = workload.keys_.size();
  workload.put_updates(std::min(updates_wanted, keys));
  for (std::uint64_t i = 0; i < std::min(deletes_wanted, keys / 2); ++i) {
    workload.add(workload.keys_[i * delete_step % keys], 'D', "");
    ++workload.counts_.deletes;
  }
  for (std::uint64_t i = 0; i < std::min(increments_wanted, keys); ++i) {
    workload.add(fmt::format("counter/{}", i % 100), 'I', std::string("\x01\0\0\0\0\0\0\0", 8));
    ++workload.counts_.increments;
  }
  workload.close_entry();
  return workload;
}

void DemoWorkload::add_updates(std::uint64_t count) {
  put_updates(count);
  close_entry();
}

void DemoWorkload::put_updates(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t number = ++counts_.updates;
    add(keys_[number * update_step % keys_.size()], 'P', fmt::format("Update: {}\n", number));
  }
}

void DemoWorkload::add(std::string_view key, char kind, std::string_view value) {
  Pending one{.key = std::string(key), .message = {}};
  append_u32(one.message, static_cast<std::uint32_t>(key.size()));
  one.message += key;
  one.message.push_back(kind);
  one.message += value;
  const bool is_there =
      std::ranges::any_of(pending_, [key](const Pending& other) { return other.key == key; });
  if (is_there || pending_.size() == entry_messages_max || pending_bytes_ >= entry_bytes_max) {
    close_entry();
  }
  pending_bytes_ += one.message.size();
  pending_.push_back(std::move(one));
}

void DemoWorkload::close_entry() {
  if (pending_.empty()) {
    return;
  }
  std::ranges::sort(pending_, {}, &Pending::key);
  for (const Pending& one : pending_) {
    bytes_ += one.message;
    ends_.push_back(bytes_.size());
  }
  entry_ends_.push_back(ends_.size());
  pending_.clear();
  pending_bytes_ = 0;
}

DemoWorkload::Write DemoWorkload::write(std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  const std::string_view message = std::string_view(bytes_).substr(begin, ends_[index] - begin);
  ByteReader reader(this->message(index));
  const auto key_bytes = reader.read<std::uint32_t>();
  const std::string_view rest = message.substr(sizeof(key_bytes));
  return {.key = rest.substr(0, key_bytes), .kind = rest[key_bytes], .value = rest.substr(key_bytes + 1)};
}

std::map<std::string_view, std::string_view> DemoWorkload::final_state(
    std::map<std::string_view, std::string>& sums) const {
  std::map<std::string_view, std::string_view> state;
  for (std::size_t i = 0; i < size(); ++i) {
    const Write one = write(i);
    if (one.kind == 'P') {
      state[one.key] = one.value;
    } else if (one.kind == 'D') {
      state.erase(one.key);
    } else {
      std::string& sum = sums.try_emplace(one.key, sum_bytes, '\0').first->second;
      unsigned carry = 0;
      for (std::size_t b = 0; b < sum_bytes; ++b) {
        const unsigned digit =
            static_cast<unsigned char>(sum[b]) + carry + static_cast<unsigned char>(one.value[b]);
        sum[b] = static_cast<char>(digit & 0xffU);
        carry = digit >> 8U;
      }
      state[one.key] = sum;
    }
  }
  return state;
}

ByteView DemoWorkload::message(std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::as_bytes(std::span(bytes_).subspan(begin, ends_[index] - begin));
}

Result<DemoInput, std::string> read_demo_input(const std::string& file) {
  bool readable = true;
  if (!file.empty()) {
    DemoInput input{.name = "records", .text = read_file(file, readable)};
    if (!readable) {
      return Failure<std::string>(fmt::format("{}: cannot be read", file));
    }
    return input;
  }
  DemoInput input{.name = "packages", .text = read_package_index()};
  if (input.text.empty()) {
    input = {.name = "installed packages", .text = read_file("/var/lib/dpkg/status", readable)};
  }
  if (input.text.empty()) {
    return Failure<std::string>("this machine has no Debian package index; give records with --input FILE");
  }
  return input;
}

}  // namespace mallard::cli
