// Real processes for tests: memory that parent and child both see, and a child that does one thing.
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <new>

namespace mallard::memory {

// A T in memory that forked children share. T is trivially destructible.
template <class T>
class SharedWithChildren {
 public:
  SharedWithChildren()
      : object_(new (::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                    T()) {}
  SharedWithChildren(const SharedWithChildren&) = delete;
  SharedWithChildren& operator=(const SharedWithChildren&) = delete;
  ~SharedWithChildren() { ::munmap(object_, sizeof(T)); }
  T* operator->() { return object_; }

 private:
  T* object_;
};

// Fork children while this process has one thread only. A child ends with its parent at the latest.
class ForkedChild {
 public:
  template <class Body>
  explicit ForkedChild(Body body) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(0);
  }
  ForkedChild(const ForkedChild&) = delete;
  ForkedChild& operator=(const ForkedChild&) = delete;
  ~ForkedChild() { kill(); }

  // Returns when it has stopped: it will not write another word.
  void stop() const {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
  }
  void resume() const { ::kill(pid_, SIGCONT); }
  // Returns when it is gone.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_;
};

}  // namespace mallard::memory
