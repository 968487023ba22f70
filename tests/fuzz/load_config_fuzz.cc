// Fuzzes the loader of the configuration. Whatever the bytes are: it returns a pairing or problems that say
// something and lie within the text; and a pairing that was loaded has no broken relation and comes back the
// same from its printed form.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/base/invariant.h"
#include "config/canonical_bytes.h"
#include "config/print_pairing.h"
#include "config/relations.h"
#include "config/yaml/load_pairing.h"

namespace mallard::config {
namespace {

void check_problems(const std::vector<ConfigProblem>& problems, std::string_view text) {
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  MALLARD_INVARIANT(!problems.empty());
  for (const ConfigProblem& problem : problems) {
    MALLARD_INVARIANT(!problem.what.empty() && !problem.advice.empty());
    MALLARD_INVARIANT(problem.place.line <= lines && problem.place.column <= text.size() + 1);
    MALLARD_INVARIANT(problem.what.size() < 4096 && problem.advice.size() < 4096);
  }
}

void check_pairing(const Pairing& pairing) {
  MALLARD_INVARIANT(check_relations(pairing).empty());
  const auto again = parse_pairing(print_pairing(pairing), "printed");
  MALLARD_INVARIANT(again.has_value());
  MALLARD_INVARIANT(*again == pairing);
  MALLARD_INVARIANT(canonical_bytes(*again) == canonical_bytes(pairing));
}

}  // namespace
}  // namespace mallard::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto loaded = mallard::config::parse_pairing(text, "fuzzed");
  if (loaded) {
    mallard::config::check_pairing(*loaded);
  } else {
    mallard::config::check_problems(loaded.error(), text);
  }
  return 0;
}
