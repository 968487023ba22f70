// The requests of one connection that are not answered, and how many bytes they hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mallard::transport::door {

class RequestTable {
 public:
  // Allocates room for `requests`.
  explicit RequestTable(std::size_t requests) : capacity_(requests) { open_.reserve(requests); }

  [[nodiscard]] bool full() const { return open_.size() == capacity_; }
  [[nodiscard]] std::size_t size() const { return open_.size(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // False, and nothing happens, when the table is full or the number is not above all that were opened.
  [[nodiscard]] bool open(std::uint64_t request, std::uint32_t bytes) {
    if (full() || request <= newest_) {
      return false;
    }
    newest_ = request;
    open_.push_back({request, bytes});
    bytes_ += bytes;
    return true;
  }

  [[nodiscard]] bool is_open(std::uint64_t request) const {
    return std::any_of(open_.begin(), open_.end(), [&](const Open& o) { return o.request == request; });
  }

  // False when the request is not open. Answers come mostly in the order of the requests.
  [[nodiscard]] bool close(std::uint64_t request) {
    const auto found =
        std::find_if(open_.begin(), open_.end(), [&](const Open& o) { return o.request == request; });
    if (found == open_.end()) {
      return false;
    }
    bytes_ -= found->bytes;
    open_.erase(found);
    return true;
  }

  // A new connection counts from 1 again.
  void clear() {
    open_.clear();
    newest_ = 0;
    bytes_ = 0;
  }

 private:
  struct Open {
    std::uint64_t request;
    std::uint32_t bytes;
  };
  std::size_t capacity_;
  std::vector<Open> open_;
  std::uint64_t newest_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace mallard::transport::door
