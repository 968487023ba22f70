// The mirror that people use today, as the peer of ours: `etcdctl make-mirror` between two etcd clusters.
#pragma once

#include <string>

#include "cli/bench/mirror_run.h"
#include "config/base/result.h"

namespace mallard::cli {

// The same as run_mirror() by `etcdctl make-mirror`: members as many, on the same disk, each write synced, as
// etcd does it, TLS between all of them; filled before the mirror starts, the last nine tenths measured, read
// back and compared. Values per second. The error is a sentence.
[[nodiscard]] Result<double, std::string> run_etcd_mirror(const MirrorSettings& settings,
                                                          const volatile int& interrupted);

}  // namespace mallard::cli
