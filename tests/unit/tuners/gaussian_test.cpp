#include "gaussian.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace lathe::tuners {
namespace {

// Values to 16 digits from tables; they lie in all three ranges of the algorithm.
TEST(NormalQuantile, AgreesWithKnownValues) {
  const std::vector<std::pair<double, double>> known{{0.5, 0.0},
                                                     {0.75, 0.6744897501960817},
                                                     {0.9, 1.2815515655446004},
                                                     {0.975, 1.959963984540054},
                                                     {0.001, -3.090232306167813},
                                                     {1e-10, -6.361340902404056},
                                                     {1e-20, -9.262340089798408}};
  for (const auto& [p, x] : known) EXPECT_NEAR(normal_quantile(p), x, 4e-15 * std::max(1.0, std::abs(x))) << p;
}

TEST(NormalQuantile, IsTheInverseOfTheCdf) {
  for (double x = -8; x <= 5; x += 0.01) EXPECT_NEAR(normal_quantile(normal_cdf(x)), x, 1e-9) << x;
}

TEST(NormalQuantile, IsOdd) {
  for (double p = 0.01; p < 0.5; p += 0.01) EXPECT_NEAR(normal_quantile(p), -normal_quantile(1 - p), 1e-13) << p;
}

TEST(NormalMassAroundZero, IsTheDifferenceOfTheCdf) {
  for (const auto& [lower, upper] :
       std::vector<std::pair<double, double>>{{-1, 1}, {0, 0.5}, {-7, 2}, {-3, 40}, {-9, 9}}) {
    EXPECT_NEAR(normal_mass_around_zero(lower, upper), normal_cdf(upper) - normal_cdf(lower), 1e-6);
  }
}

}  // namespace
}  // namespace lathe::tuners
