#include "transport/memory/shm/rendezvous.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace mallard::memory {

namespace {

constexpr std::uint64_t magic = 0x314d454d4c414d00;  // "MALMEM1"
constexpr std::chrono::milliseconds redial{20};

struct Hello {
  std::uint64_t magic = 0;
  std::uint64_t fingerprint = 0;
  std::uint64_t process = 0;
};

struct Welcome {
  std::uint64_t magic = 0;
  std::uint64_t memory_node = 0;
};

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  return address;
}

FileDescriptor new_socket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

union Ancillary {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * Rendezvous::fds_max)];
};

bool send_fds(int socket, Welcome welcome, const std::vector<int>& fds) {
  iovec part{&welcome, sizeof(welcome)};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.bytes;
  message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
  std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof(welcome));
}

// How many bytes came: 0 at the end of the connection, negative when there is nothing yet.
ssize_t receive_fds(int socket, Welcome& welcome, std::vector<FileDescriptor>& fds) {
  iovec part{&welcome, sizeof(welcome)};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.bytes;
  message.msg_controllen = sizeof(ancillary.bytes);
  const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? -1 : 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::array<int, Rendezvous::fds_max> raw{};
    const std::size_t count = std::min((header->cmsg_len - CMSG_LEN(0)) / sizeof(int), raw.size());
    std::memcpy(raw.data(), CMSG_DATA(header), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) fds.emplace_back(raw[i]);
  }
  return got;
}

bool has_ended(int socket) {
  char byte = 0;
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

Rendezvous::Rendezvous(const ShmSettings& settings, Offers offers)
    : settings_(settings),
      offers_(std::move(offers)),
      outbound_(settings.processes),
      latest_(settings.processes) {
  inbound_.reserve(2 * settings.processes + 1);
  auto own = std::make_shared<Attachment>();
  own->memory_node = settings_.memory_node;
  for (const int fd : offers_.at(settings_.self.value)) {
    own->fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  }
  latest_[settings_.self.value] = std::move(own);
  changes_.store(1, std::memory_order_relaxed);
}

Result<std::unique_ptr<Rendezvous>, ShmError> Rendezvous::open(const ShmSettings& settings, Offers offers) {
  std::unique_ptr<Rendezvous> rendezvous(new Rendezvous(settings, std::move(offers)));
  if (auto listening = rendezvous->listen(); !listening) return Failure<ShmError>(listening.error());
  rendezvous->thread_ = std::thread([&object = *rendezvous] { object.serve(); });
  return rendezvous;
}

Result<void, ShmError> Rendezvous::listen() {
  const std::string path = settings_.socket_path(settings_.self);
  stop_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  listener_ = new_socket();
  const sockaddr_un address = address_of(path);
  ::unlink(path.c_str());
  if (!stop_.is_open() || !listener_.is_open() ||
      ::bind(listener_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener_.number(), static_cast<int>(2 * processes_max)) != 0) {
    return Failure<ShmError>(system_error("listen at " + path));
  }
  // Other users may knock; the kernel tells who they are.
  if (!settings_.users.empty() && ::chmod(path.c_str(), 0666) != 0) {
    return Failure<ShmError>(system_error("chmod " + path));
  }
  return {};
}

Rendezvous::~Rendezvous() {
  const std::uint64_t one = 1;
  if (thread_.joinable()) {
    [[maybe_unused]] const ssize_t written = ::write(stop_.number(), &one, sizeof(one));
    thread_.join();
  }
  for (Outbound& outbound : outbound_) end(outbound);
}

std::shared_ptr<Attachment> Rendezvous::attachment_to(ProcessIndex process) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Attachment> latest = latest_.at(process.value);
  return latest && !latest->gone.load(std::memory_order_acquire) ? latest : nullptr;
}

// ---- The service thread ----

void Rendezvous::serve() {
  std::vector<pollfd> watched;
  while (true) {
    for (std::uint16_t i = 0; i < settings_.processes && !settings_.memory_node; ++i) {
      if (i != settings_.self.value) dial(ProcessIndex(i));
    }
    watched.clear();
    watched.push_back({stop_.number(), POLLIN, 0});
    watched.push_back({listener_.number(), POLLIN, 0});
    const std::size_t first_inbound = watched.size();
    for (const Inbound& inbound : inbound_) watched.push_back({inbound.socket.number(), POLLIN, 0});
    const std::size_t first_outbound = watched.size();
    for (const Outbound& outbound : outbound_) watched.push_back({outbound.socket.number(), POLLIN, 0});
    if (::poll(watched.data(), watched.size(), is_complete() ? -1 : static_cast<int>(redial.count())) < 0)
      continue;
    if (watched[0].revents != 0) return;
    for (std::size_t i = first_outbound; i < watched.size(); ++i) {
      Outbound& outbound = outbound_[i - first_outbound];
      if (watched[i].revents != 0 && !read_welcome(outbound)) end(outbound);
    }
    for (std::size_t i = first_outbound; i-- > first_inbound;) {
      Inbound& inbound = inbound_[i - first_inbound];
      if (inbound.socket.is_open() && (watched[i].revents == 0 || read_hello(inbound))) continue;
      end(inbound);
      inbound_.erase(inbound_.begin() + static_cast<std::ptrdiff_t>(i - first_inbound));
    }
    if (watched[1].revents != 0) accept_one();
  }
}

bool Rendezvous::is_complete() const {
  const auto open = std::count_if(outbound_.begin(), outbound_.end(),
                                  [](const Outbound& outbound) { return outbound.socket.is_open(); });
  return settings_.memory_node || static_cast<std::size_t>(open) + 1 == settings_.processes;
}

void Rendezvous::accept_one() {
  FileDescriptor socket(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.is_open()) return;
  if (inbound_.size() >= 2 * settings_.processes) {
    // The oldest that has not said who it is makes room.
    const auto silent =
        std::find_if(inbound_.begin(), inbound_.end(), [](const Inbound& i) { return !i.welcomed; });
    refused_.fetch_add(1, std::memory_order_relaxed);
    if (silent == inbound_.end()) return;
    inbound_.erase(silent);
  }
  Inbound inbound;
  inbound.socket = std::move(socket);
  inbound_.push_back(std::move(inbound));
}

bool Rendezvous::read_hello(Inbound& inbound) {
  Hello hello;
  const ssize_t got = ::recv(inbound.socket.number(), &hello, sizeof(hello), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0 || inbound.welcomed) return false;
  if (got != static_cast<ssize_t>(sizeof(hello)) || hello.magic != magic ||
      hello.fingerprint != settings_.fingerprint() || hello.process >= settings_.processes ||
      !is_allowed(inbound.socket.number(), ProcessIndex(static_cast<std::uint16_t>(hello.process))) ||
      is_taken(ProcessIndex(static_cast<std::uint16_t>(hello.process)))) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  inbound.process = ProcessIndex(static_cast<std::uint16_t>(hello.process));
  inbound.welcomed = true;
  // Before the peer can map anything: a regrant that misses it is one that the peer sees.
  lives_[inbound.process.value].fetch_add(1, std::memory_order_seq_cst);
  return send_fds(inbound.socket.number(), Welcome{magic, settings_.memory_node ? 1ULL : 0ULL},
                  offers_[inbound.process.value]);
}

bool Rendezvous::is_allowed(int socket, ProcessIndex process) const {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == (settings_.users.empty() ? ::geteuid() : settings_.users[process.value]);
}

// Two lives of one process at a time would both write under its grants.
bool Rendezvous::is_taken(ProcessIndex process) {
  const auto old = std::find_if(inbound_.begin(), inbound_.end(), [&](const Inbound& inbound) {
    return inbound.welcomed && inbound.process == process && inbound.socket.is_open();
  });
  if (old == inbound_.end()) return false;
  if (!has_ended(old->socket.number())) return true;
  end(*old);
  return false;
}

// The emptied entry stays in the list until its turn in serve().
void Rendezvous::end(Inbound& inbound) {
  if (!inbound.socket.is_open()) return;
  inbound.socket = FileDescriptor();
  if (inbound.welcomed) lives_[inbound.process.value].fetch_add(1, std::memory_order_seq_cst);
}

void Rendezvous::dial(ProcessIndex process) {
  Outbound& outbound = outbound_[process.value];
  const auto now = std::chrono::steady_clock::now();
  if (outbound.socket.is_open() || now < outbound.redial_at) return;
  outbound.redial_at = now + redial;
  FileDescriptor socket = new_socket();
  const sockaddr_un address = address_of(settings_.socket_path(process));
  const Hello hello{magic, settings_.fingerprint(), settings_.self.value};
  if (!socket.is_open() ||
      ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      !is_allowed(socket.number(), process) ||
      ::send(socket.number(), &hello, sizeof(hello), MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof(hello))) {
    return;
  }
  outbound.socket = std::move(socket);
}

bool Rendezvous::read_welcome(Outbound& outbound) {
  Welcome hello;
  std::vector<FileDescriptor> fds;
  const ssize_t got = receive_fds(outbound.socket.number(), hello, fds);
  if (got < 0) return true;
  if (got != static_cast<ssize_t>(sizeof(hello)) || hello.magic != magic || outbound.attachment) return false;
  outbound.attachment = std::make_shared<Attachment>();
  outbound.attachment->memory_node = hello.memory_node != 0;
  outbound.attachment->fds = std::move(fds);
  {
    const std::lock_guard lock(mutex_);
    latest_[static_cast<std::size_t>(&outbound - outbound_.data())] = outbound.attachment;
  }
  changes_.fetch_add(1, std::memory_order_release);
  return true;
}

void Rendezvous::end(Outbound& outbound) {
  outbound.socket = FileDescriptor();
  if (outbound.attachment) outbound.attachment->gone.store(true, std::memory_order_release);
  outbound.attachment.reset();
}

}  // namespace mallard::memory
