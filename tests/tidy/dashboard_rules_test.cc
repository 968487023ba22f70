#include "tests/tidy/dashboard_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mallard::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* source = R"(series.gauge("mallard_lag", ""); series.histogram("mallard_latency", "");)";

TEST(DashboardRules, what_a_process_shows_may_be_asked_for) {
  EXPECT_THAT(check_dashboards({{"cli/shown.cc", source},
                                {"dashboards/link.json", "rate(mallard_latency_bucket[5m]) mallard_lag{}"},
                                {"dashboards/rules.yml", "- alert: Lag\n  expr: mallard_lag > 1\n"},
                                {"dashboards/rules_test.yml", "alertname: Lag\n"},
                                {"dashboards/README.md", "| `Lag` | mallard_gone is no metric |\n"}}),
              IsEmpty());
}

TEST(DashboardRules, a_planted_query_for_nothing_is_found) {
  EXPECT_THAT(
      check_dashboards({{"cli/shown.cc", source},
                        {"tests/cli/shown_test.cc", R"("mallard_tested")"},
                        {"dashboards/link.json", "mallard_lags\nmallard_lag_bucket mallard_tested\n"}}),
      ElementsAre(Problem{"dashboards/link.json", 1, "no process has mallard_lags"},
                  Problem{"dashboards/link.json", 2, "no process has mallard_tested"}));
}

TEST(DashboardRules, a_planted_alert_that_nobody_explains_or_tests_is_found) {
  EXPECT_THAT(check_dashboards({{"dashboards/rules.yml", "\n- alert: Lag\n"},
                                {"dashboards/rules_test.yml", "alertname: LagCritical\n"},
                                {"dashboards/README.md", "MallardLag\n"}}),
              ElementsAre(Problem{"dashboards/rules.yml", 2, "Lag is not in dashboards/README.md"},
                          Problem{"dashboards/rules.yml", 2, "Lag is not in dashboards/rules_test.yml"}));
}

}  // namespace
}  // namespace mallard::tidy
