// A pairing of clusters whose replicas are all on this machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/base/result.h"
#include "config/pairing.h"

namespace mallard::cli {

struct LocalCluster {
  config::ClusterSettings settings;                // but for replicas and faults
  std::vector<std::filesystem::path> directories;  // of its replicas, by id
};

// Makes the directories, with keys, finds free ports at 127.0.0.1 and writes the whole to `file`. Each
// cluster has as many faults as its replicas carry; of two, the first has a link to the second, named after
// both. The error is a sentence.
[[nodiscard]] Result<config::Pairing, std::string> make_local_pairing(
    std::vector<LocalCluster> clusters, std::vector<config::ClientSettings> clients,
    const std::filesystem::path& file);

}  // namespace mallard::cli
