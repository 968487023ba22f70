// The one way to return a value or an error that is not our own bug.
#pragma once

#include <tl/expected.hpp>

namespace mallard {

template <class T, class E>
using Result = tl::expected<T, E>;

template <class E>
using Failure = tl::unexpected<E>;

}  // namespace mallard
