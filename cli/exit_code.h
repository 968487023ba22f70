// What the program's exit status says. Scripts rely on these numbers.
#pragma once

namespace mallard::cli {

enum class ExitCode : int {
  ok = 0,
  failed = 1,              // it was tried and did not work
  usage = 2,               // the command line makes no sense
  not_found = 3,           // what was asked for does not exist
  degraded = 4,            // it works, but something needs attention
  refused = 5,             // a guard refused: going on would risk data
  unknown = 6,             // it may be executed or not, now or later; stderr says how to find out
  bad_configuration = 78,  // EX_CONFIG of sysexits.h
};

}  // namespace mallard::cli
