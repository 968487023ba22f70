#include "tests/rsm/replica/journal/journal_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/bytes.h"
#include "config/base/prng.h"

namespace mallard::rsm::journal {

namespace {

constexpr std::size_t label_bytes = 16;

std::string describe(const LogState& log) {
  std::string text = fmt::format("after {}:", log.front.value);
  for (std::size_t i = 0; i < log.ids.size() && i < 200; ++i) {
    text += log.ids[i] == damaged_id ? " damaged" : fmt::format(" {}", log.ids[i]);
  }
  return text;
}

}  // namespace

MadeEntry make_entry(std::uint64_t id, EntryIndex index, std::size_t body_bytes) {
  MadeEntry made{.id = id,
                 .index = index,
                 .term = Term(id * 3 + 1),
                 .epoch = Epoch(static_cast<std::uint32_t>(id % 5 + 1)),
                 .body = std::vector<std::byte>(std::max(body_bytes, label_bytes))};
  ByteWriter writer(made.body);
  writer.write(id);
  writer.write(index.value);
  Prng prng(id * 31 + index.value);
  for (std::size_t i = label_bytes; i < made.body.size(); ++i) {
    made.body[i] = static_cast<std::byte>(prng.between(1, 255));
  }
  return made;
}

std::optional<std::uint64_t> id_of(const Entry& entry) {
  ByteReader reader(entry.body);
  const auto id = reader.read<std::uint64_t>();
  if (!reader.ok()) {
    return std::nullopt;
  }
  const MadeEntry expected = make_entry(id, entry.index, entry.body.size());
  const bool same =
      expected.term == entry.term && expected.epoch == entry.epoch &&
      std::equal(expected.body.begin(), expected.body.end(), entry.body.begin(), entry.body.end());
  return same ? std::optional(id) : std::nullopt;
}

void LogState::put(EntryIndex index, std::uint64_t id) {
  ids.resize(index.value - front.value - 1);
  ids.push_back(id);
}

void LogState::drop_front(EntryIndex to) {
  if (to <= front) {
    return;
  }
  const std::uint64_t count = std::min<std::uint64_t>(to.value - front.value, ids.size());
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count));
  front = to;
}

JournalModel::JournalModel() : states_(1), fronts_(1), promises_(1), sizes_(1) {}

MadeEntry JournalModel::make(EntryIndex index, std::size_t body_bytes) {
  MadeEntry made = make_entry(sizes_.size(), index, body_bytes);
  sizes_.push_back(made.body.size());
  return made;
}

LogState& JournalModel::change() {
  states_.push_back(states_.back());
  return states_.back();
}

void JournalModel::on_synced() { states_.erase(states_.begin(), states_.end() - 1); }

void JournalModel::on_truncated() {
  fronts_.erase(fronts_.begin(), fronts_.end() - 1);
  for (LogState& state : states_) {
    state.drop_front(fronts_.front());
  }
}

void JournalModel::on_old_file(EntryIndex front) {
  const bool was_tried = std::find(tried_fronts_.begin(), tried_fronts_.end(), front) != tried_fronts_.end();
  if (front > fronts_.front() && was_tried) {
    fronts_ = {front};
    on_truncated();
  }
}

void JournalModel::on_restart(EntryIndex front) {
  on_truncate(front);
  // Either the acknowledged log still is there, or an empty one is.
  states_.erase(states_.begin() + 1, states_.end());
  states_.push_back({.front = front, .ids = {}});
}

bool JournalModel::matches(const LogState& found, const LogState& expected) const {
  if (std::find(fronts_.begin(), fronts_.end(), found.front) == fronts_.end()) {
    return false;
  }
  LogState trimmed = expected;
  trimmed.drop_front(found.front);
  if (found.front < expected.front || trimmed.ids.size() != found.ids.size()) {
    return false;
  }
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    if (found.ids[i] != damaged_id && found.ids[i] != trimmed.ids[i]) {
      return false;
    }
  }
  return true;
}

Complaint JournalModel::check_log(const LogState& found, bool may_be_damaged) const {
  const bool has_damage = std::count(found.ids.begin(), found.ids.end(), damaged_id) != 0;
  const bool known = std::any_of(states_.begin(), states_.end(),
                                 [&](const LogState& state) { return matches(found, state); });
  const std::string story = fmt::format("found {}; acknowledged {}; appended {}", describe(found),
                                        describe(states_.front()), describe(states_.back()));
  if (may_be_damaged) {
    return known ? Complaint() : Complaint({"I3", story});
  }
  if (known && !has_damage) {
    return std::nullopt;
  }
  // Nothing was damaged: is something missing that was acknowledged and that nothing has replaced?
  LogState safe = states_.front();
  for (const LogState& state : states_) {
    std::size_t same = 0;
    while (same < safe.ids.size() && state.front == safe.front && same < state.ids.size() &&
           state.ids[same] == safe.ids[same]) {
      ++same;
    }
    safe.ids.resize(state.front == safe.front ? same : 0);
  }
  safe.drop_front(found.front);
  const bool has_all =
      found.ids.size() >= safe.ids.size() && std::equal(safe.ids.begin(), safe.ids.end(), found.ids.begin());
  return Verdict{has_all ? "I2" : "I1", story};
}

Complaint JournalModel::check_promises(const Promises& found) const {
  if (std::find(promises_.begin(), promises_.end(), found) != promises_.end()) {
    return std::nullopt;
  }
  return Verdict{"I8",
                 fmt::format("term {} and grant {} are remembered; promised were {} and {}", found.term.value,
                             found.grant, promises_.front().term.value, promises_.front().grant)};
}

void JournalModel::adopt(const LogState& found, const Promises& promises) {
  states_ = {found};
  fronts_ = {found.front};
  promises_ = {promises};
}

}  // namespace mallard::rsm::journal
