// What is checked of plain text.
#pragma once

#include <vector>

#include "tests/tidy/source_tree.h"

namespace mallard::tidy {

constexpr int source_lines_max = 500;
constexpr int function_lines_max = 70;
constexpr int line_columns_max = 110;
constexpr std::size_t file_bytes_max = 100'000;

// No .cc and no .h of more than 500 lines, none of their lines wider than 110 columns.
[[nodiscard]] std::vector<Problem> check_lengths(const SourceTree& tree);

// No function of more than 70 lines. Judged by braces: the outermost block that is not a namespace, a type or
// a table is a function. clang-tidy measures better but takes minutes.
[[nodiscard]] std::vector<Problem> check_functions(const SourceTree& tree);

// Nothing left over: no reminders to finish something later, no path of the machine that it was written on,
// no file above 100 kB, no carriage return, no blank at the end of a line, a newline at the end of each text.
[[nodiscard]] std::vector<Problem> check_leftovers(const SourceTree& tree);

}  // namespace mallard::tidy
