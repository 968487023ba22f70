#include "config/yaml/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mallard::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string problems_of(std::string_view text) {
  ProblemList problems("f");
  static_cast<void>(parse_document(text, problems));
  std::string all;
  for (const ConfigProblem& problem : problems.take()) {
    all += to_text(problem) + "\n";
  }
  return all;
}

TreeNode tree_of(std::string_view text) {
  ProblemList problems("f");
  TreeNode root = parse_document(text, problems);
  EXPECT_TRUE(problems.empty()) << problems_of(text);
  return root;
}

TEST(Document, KeepsShapesPlacesAndQuotes) {
  const TreeNode root = tree_of("a: {b: [1, \"2\"]}\nç: 'd'\n");
  ASSERT_EQ(root.kind, TreeNode::Kind::mapping);
  const TreeNode* list = root.find("a")->find("b");
  ASSERT_EQ(list->kind, TreeNode::Kind::list);
  EXPECT_EQ(list->items[0].text, "1");
  EXPECT_FALSE(list->items[0].is_quoted);
  EXPECT_TRUE(list->items[1].is_quoted);
  EXPECT_EQ(list->items[1].place, (Place{1, 12}));
  EXPECT_EQ(root.find("ç")->place, (Place{2, 4})) << "columns count characters, not bytes";
  EXPECT_EQ(root.find("z"), nullptr);
}

TEST(Document, AcceptsTheByteOrderMarkAndWindowsLineEnds) {
  const TreeNode root = tree_of(
      "\xef\xbb\xbf"
      "a: 1\r\nb: 2\r\n");
  EXPECT_EQ(root.find("a")->place, (Place{1, 4}));
  EXPECT_EQ(root.find("b")->text, "2");
}

TEST(Document, RefusesBytesThatReadersDisagreeOn) {
  using namespace std::string_view_literals;
  EXPECT_THAT(problems_of("a: \xff\n"), StartsWith("f:1:4: the file is not UTF-8 text; "));
  EXPECT_THAT(problems_of("a: 1\nb: \xc0\xaf\n"), StartsWith("f:2:4: the file is not UTF-8")) << "overlong";
  EXPECT_THAT(problems_of("a: \xed\xa0\x80\n"), HasSubstr("not UTF-8")) << "a surrogate";
  EXPECT_THAT(problems_of("a: \xf4\x90\x80\x80\n"), HasSubstr("not UTF-8")) << "beyond Unicode";
  EXPECT_THAT(problems_of("a: \xe2\x82"), HasSubstr("not UTF-8")) << "cut off";
  EXPECT_THAT(problems_of("\xff\xfe"
                          "a\0:\0"sv),
              HasSubstr("not UTF-8"))
      << "UTF-16";
  EXPECT_THAT(problems_of("a: 1\n\0b: 2\n"sv),
              StartsWith("f:2:1: the file contains the control character 0x00"));
  EXPECT_THAT(problems_of("a: 1\n\x04"
                          "b: 2\n"),
              HasSubstr("0x04"))
      << "yaml-cpp would stop reading here";
  EXPECT_THAT(problems_of("a: 1\rb: 2\n"), HasSubstr("0x0d")) << "a line break to some readers only";
  EXPECT_THAT(problems_of("a:\n\t b: 1\n"), StartsWith("f:2:1: the line is indented with a tab"));
  EXPECT_EQ(problems_of("a: 1\t# fine\n"), "");
}

TEST(Document, StopsAtItsLimits) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(problems_of(nested(node_depth_max)), "");
  EXPECT_THAT(problems_of(nested(node_depth_max + 1)),
              StartsWith("f:1:17: values are nested more than 16 deep"));
  for (const char* open : {"- ", "? ", "a: - ", "- ? "}) {
    std::string deep;
    while (deep.size() < file_bytes_max / 2) deep += open;
    EXPECT_NE(problems_of(deep), "") << open;
  }
  for (const char* open : {"[", "{", "{a: ", "[? ", "[]", "[[{"}) {
    std::string deep;
    while (deep.size() < file_bytes_max / 2) deep += open;
    EXPECT_THAT(problems_of(deep), HasSubstr("more than 65536 brackets and commas")) << open;
  }
  std::string many;
  while (many.size() < 2 * node_count_max + 2) many += "-\n";
  EXPECT_THAT(problems_of(many), HasSubstr("more than 65536 values"));
  std::string staircase;
  for (std::size_t i = 0; i <= node_depth_max; ++i) staircase += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(problems_of(staircase), HasSubstr("nested more than 16 deep"));
}

TEST(Document, BoundsTheLengthOfKeys) {
  EXPECT_EQ(problems_of(std::string(key_bytes_max, 'k') + ": 1\n"), "");
  EXPECT_THAT(problems_of(std::string(key_bytes_max + 1, 'k') + ": 1\n"),
              HasSubstr("has 129 bytes; no key has more"));
}

TEST(Document, TellsWhatIsNotYaml) {
  EXPECT_THAT(problems_of("a: b: c\n"), StartsWith("f:1:5: this is not YAML: "));
  EXPECT_THAT(problems_of("a: @b\n"), HasSubstr("this is not YAML"));
  EXPECT_EQ(tree_of("").kind, TreeNode::Kind::nothing);
  EXPECT_EQ(tree_of("---\n...\n").kind, TreeNode::Kind::nothing);
}

}  // namespace
}  // namespace mallard::config
